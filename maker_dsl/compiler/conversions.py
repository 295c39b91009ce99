"""How a value of one type becomes one of a wider type, as the plan that `expressions.conversions` carries out."""

from __future__ import annotations

from maker_dsl.checker.relations import strip_optional
from maker_dsl.expressions.conversions import Plan
from maker_dsl.types.type import (
    DecimalType,
    FloatType,
    IntType,
    ListType,
    MapType,
    RecordType,
    TupleType,
    Type,
)


def plan(before: Type, after: Type) -> Plan:
    """What to do to a value of the type `before`; None for nothing."""
    match strip_optional(before), strip_optional(after):
        case IntType(), FloatType():
            return "float"
        case IntType(), DecimalType():
            return "decimal"
        case ListType(item=mine), ListType(item=theirs):
            inner = plan(mine, theirs)
            return None if inner is None else ("list", inner)
        case MapType(value=mine), MapType(value=theirs):
            inner = plan(mine, theirs)
            return None if inner is None else ("map", inner)
        case TupleType(places=mine_places), TupleType(places=theirs_places):
            plans = [plan(m.type, t.type) for m, t in zip(mine_places, theirs_places, strict=True)]
            return None if not any(plans) else ("tuple", *plans)
        case RecordType(members=mine_members), RecordType(members=theirs_members):
            wanted = {member.name: member.type for member in theirs_members}
            members = [(member.name, plan(member.type, wanted[member.name])) for member in mine_members]
            changed = [(name, plan) for name, plan in members if plan is not None]
            return None if not changed else ("record", *changed)
        case _:
            return None
