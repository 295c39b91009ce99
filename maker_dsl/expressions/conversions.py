"""Turns values of a narrower type into those of a wider one: ints into floats or decimals, wherever they stand."""

from __future__ import annotations

from typing import Any

from maker_dsl.expressions.arithmetic import int_to_decimal
from maker_dsl.expressions.fuel import spend

Plan = Any
"""None: as it is. "float", "decimal": of an int. ("list", plan), ("map", plan): of every item. ("tuple", plan, …):
of each place. ("record", (name, plan), …): of these members."""


def convert(value: Any, plan: Plan) -> Any:
    """The value as the plan says; null stays null."""
    if plan is None or value is None:
        return value
    if plan == "float":
        return float(value)
    if plan == "decimal":
        return int_to_decimal(value)
    kind, parts = plan[0], plan[1:]
    spend(len(value) * 2 + 1)
    if kind == "list":
        return [convert(item, parts[0]) for item in value]
    if kind == "map":
        return {key: convert(item, parts[0]) for key, item in value.items()}
    if kind == "tuple":
        return tuple(convert(item, part) for item, part in zip(value, parts, strict=True))
    plans = dict(parts)
    return {name: convert(item, plans.get(name)) for name, item in value.items()}
