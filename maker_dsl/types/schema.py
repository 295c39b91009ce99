"""The JSON Schema (2020-12) of a concrete type; it accepts the JSON values that the pydantic validator accepts."""

from __future__ import annotations

import sys
from decimal import Decimal
from typing import Any, assert_never

from maker_dsl.types.patterns import pattern
from maker_dsl.types.type import (
    BoolType,
    DateType,
    DecimalType,
    EnumType,
    FloatType,
    IntType,
    ListType,
    MapType,
    NeverType,
    NullType,
    OptionalType,
    RecordType,
    StringType,
    TupleType,
    Type,
)
from maker_dsl.types.validation import RAW_PATTERNS

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema(type: Type) -> dict[str, Any]:
    """The whole schema document of a concrete type."""
    return {"$schema": DIALECT, **_schema(type)}


def _schema(type: Type) -> dict[str, Any]:
    match type:
        case IntType():
            return {"type": "integer", **_bounds(type.minimum, type.maximum)}
        case FloatType():
            most = sys.float_info.max
            low = -most if type.minimum is None else type.minimum
            return {"type": "number", **_bounds(low, most if type.maximum is None else type.maximum)}
        case DecimalType():
            return {"type": "number", **_bounds(_number(type.minimum), _number(type.maximum))}
        case BoolType():
            return {"type": "boolean"}
        case StringType():
            return _string(type)
        case DateType():
            return {"type": "string", "format": "date"}
        case EnumType():
            return {"type": "string", "enum": list(type.values)}
        case ListType():
            schema: dict[str, Any] = {"type": "array", "items": _schema(type.item)}
            if type.min_length is not None:
                schema["minItems"] = type.min_length
            if type.max_length is not None:
                schema["maxItems"] = type.max_length
            return schema
        case MapType():
            return {"type": "object", "additionalProperties": _schema(type.value)}
        case RecordType():
            return {
                "type": "object",
                "properties": {member.name: _schema(member.type) for member in type.members},
                "required": [m.name for m in type.members if not isinstance(m.type, OptionalType)],
                "additionalProperties": False,
            }
        case TupleType():
            places = [_schema(place.type) for place in type.places]
            prefix = {"prefixItems": places} if places else {}
            return {"type": "array", **prefix, "items": False, "minItems": len(places), "maxItems": len(places)}
        case OptionalType():
            return {"anyOf": [_schema(type.inner), {"type": "null"}]}
        case NullType():
            return {"type": "null"}
        case NeverType():
            return {"not": {}}
        case _:
            assert_never(type)


def _string(type: StringType) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    if type.max_length is not None:
        schema["maxLength"] = type.max_length
    if type.pattern is not None:
        schema["pattern"] = pattern(type.pattern).json_schema
    if type.raw:
        schema["allOf"] = [{"pattern": RAW_PATTERNS[type.raw] + "(?!\\n)"}]
    return schema


def _bounds(low: int | float | None, high: int | float | None) -> dict[str, int | float]:
    bounds: dict[str, int | float] = {}
    if low is not None:
        bounds["minimum"] = low
    if high is not None:
        bounds["maximum"] = high
    return bounds


def _number(value: Decimal | None) -> int | float | None:
    if value is None:
        return None
    return int(value) if value == value.to_integral_value() else float(value)
