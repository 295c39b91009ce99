"""What a concrete type gives at the boundary of the program: validator, JSON reader and writer, JSON Schema."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

from pydantic_core import ValidationError

from maker_dsl.types.canonical import writer
from maker_dsl.types.errors import ValueRefused
from maker_dsl.types.json_text import read_json
from maker_dsl.types.refusal import explain
from maker_dsl.types.schema import json_schema
from maker_dsl.types.type import Type
from maker_dsl.types.validation import validator


class Codec:
    """The `task.ValueCodec` of a concrete type. Immutable; make it once per type."""

    def __init__(self, type: Type, *, exact_ints: bool = False) -> None:
        self.type = type
        self._exact_ints = exact_ints
        self._validate = validator(type, exact_ints=exact_ints).validate_python
        self.dump: Callable[[Any], bytes] = writer(type)
        """The canonical JSON text of a typed value."""

    @cached_property
    def schema(self) -> dict[str, Any]:
        """The JSON Schema (2020-12) of the type."""
        return json_schema(self.type)

    def validate(self, value: object) -> Any:
        """The typed value of decoded JSON or of a typed value; raises `ValueRefused`."""
        try:
            return self._validate(value)
        except ValidationError as error:
            explain(self.type, value, exact_ints=self._exact_ints)
            raise ValueRefused("", f"the value does not fit its type: {error.errors()[0]['msg']}") from error

    def load(self, text: str | bytes) -> Any:
        """The typed value of a JSON text; raises `ValueRefused`."""
        return self.validate(read_json(text))


def codec(type: Type) -> Codec:
    """Validator, JSON reader, canonical JSON writer and JSON Schema of a concrete type."""
    return Codec(type)
