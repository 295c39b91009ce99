"""What a concrete type gives at the boundary of the program."""

from __future__ import annotations

from maker_dsl.task import ValueCodec
from maker_dsl.types.type import Type


def codec(type: Type) -> ValueCodec:
    """Validator, JSON reader, canonical JSON writer and JSON Schema of a concrete type."""
    raise NotImplementedError
