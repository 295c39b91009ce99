"""How erased types relate: which stand for which, their common type, what may be compared or ordered."""

from __future__ import annotations

from maker_dsl.types.type import (
    BoolType,
    DateType,
    DecimalType,
    EnumType,
    FloatType,
    IntType,
    ListType,
    MapType,
    Member,
    NeverType,
    NullType,
    OptionalType,
    RecordType,
    StringType,
    TupleType,
    Type,
)

Number = IntType | FloatType | DecimalType
Text = StringType | EnumType


def strip_optional(type_: Type) -> Type:
    """The type without its `?`."""
    return type_.inner if isinstance(type_, OptionalType) else type_


def make_optional(type_: Type) -> Type:
    """`T?`; an optional, null or unknown type stays as it is."""
    return type_ if isinstance(type_, OptionalType | NullType | NeverType) else OptionalType(type_)


def member_type(members: tuple[Member, ...], name: str) -> Type | None:
    """The type of the member of that name."""
    return next((member.type for member in members if member.name == name), None)


def is_assignable(source: Type, target: Type) -> bool:
    """Whether a value of `source` may stand where `target` is wanted, perhaps converted."""
    match source, target:
        case (NeverType(), _) | (_, NeverType()):
            return True
        case NullType(), OptionalType() | NullType():
            return True
        case OptionalType(), OptionalType():
            return is_assignable(source.inner, target.inner)
        case _, OptionalType():
            return is_assignable(source, target.inner)
        case IntType(), IntType() | FloatType() | DecimalType():
            return True
        case EnumType(), EnumType():
            return set(source.values) <= set(target.values)
        case EnumType(), StringType():
            return True
        case ListType(), ListType():
            return is_assignable(source.item, target.item)
        case MapType(), MapType():
            return is_assignable(source.value, target.value)
        case TupleType(), TupleType():
            return [p.name for p in source.places] == [p.name for p in target.places] and all(
                is_assignable(mine.type, theirs.type) for mine, theirs in zip(source.places, target.places, strict=True)
            )
        case RecordType(), RecordType():
            theirs_by_name = {member.name: member.type for member in target.members}
            return {member.name for member in source.members} == theirs_by_name.keys() and all(
                is_assignable(member.type, theirs_by_name[member.name]) for member in source.members
            )
        case _:
            return type(source) is type(target) and isinstance(
                source, FloatType | DecimalType | BoolType | StringType | DateType
            )


def needs_conversion(source: Type, target: Type) -> bool:
    """Whether a value of `source`, assignable to `target`, changes its representation (an int becomes a decimal)."""
    match strip_optional(source), strip_optional(target):
        case IntType(), FloatType() | DecimalType():
            return True
        case ListType(item=mine), ListType(item=theirs):
            return needs_conversion(mine, theirs)
        case MapType(value=mine), MapType(value=theirs):
            return needs_conversion(mine, theirs)
        case TupleType(places=mine_places), TupleType(places=theirs_places):
            return any(needs_conversion(m.type, t.type) for m, t in zip(mine_places, theirs_places, strict=True))
        case RecordType(members=mine_members), RecordType(members=theirs_members):
            wanted = {member.name: member.type for member in theirs_members}
            return any(needs_conversion(member.type, wanted[member.name]) for member in mine_members)
        case _:
            return False


def join(one: Type, other: Type) -> Type | None:
    """The narrowest type that both may stand for; None where there is none."""
    match one, other:
        case NeverType(), _:
            return other
        case _, NeverType():
            return one
        case NullType(), _:
            return make_optional(other)
        case _, NullType():
            return make_optional(one)
        case (OptionalType(), _) | (_, OptionalType()):
            inner = join(strip_optional(one), strip_optional(other))
            return None if inner is None else make_optional(inner)
        case (DecimalType() | FloatType() as wider, IntType()) | (IntType(), DecimalType() | FloatType() as wider):
            return wider
        case EnumType(), EnumType() if set(one.values) != set(other.values):
            return StringType()
        case (StringType() as wider, EnumType()) | (EnumType(), StringType() as wider):
            return wider
        case ListType(), ListType():
            item = join(one.item, other.item)
            return None if item is None else _keep_alias(ListType(item), one, other)
        case MapType(), MapType():
            value = join(one.value, other.value)
            return None if value is None else _keep_alias(MapType(value), one, other)
        case TupleType(), TupleType():
            places = _join_members(one.places, other.places)
            return None if places is None else _keep_alias(TupleType(places), one, other)
        case RecordType(), RecordType():
            members = _join_members(
                tuple(sorted(one.members, key=lambda m: m.name)), tuple(sorted(other.members, key=lambda m: m.name))
            )
            return None if members is None else _keep_alias(RecordType(members), one, other)
        case _:
            return one if type(one) is type(other) else None


def _keep_alias(joined: Type, one: Type, other: Type) -> Type:
    """The declared name survives where joining changed nothing."""
    if one.alias is not None and is_assignable(joined, one) and not needs_conversion(joined, one):
        return one
    if other.alias is not None and is_assignable(joined, other) and not needs_conversion(joined, other):
        return other
    return joined


def _join_members(mine: tuple[Member, ...], theirs: tuple[Member, ...]) -> tuple[Member, ...] | None:
    if [member.name for member in mine] != [member.name for member in theirs]:
        return None
    members = []
    for one, other in zip(mine, theirs, strict=True):
        joined = join(one.type, other.type)
        if joined is None:
            return None
        members.append(Member(one.name, joined))
    return tuple(members)


def is_comparable(one: Type, other: Type) -> bool:
    """Whether `==` between the types can ever be meant: they have a common type."""
    return join(one, other) is not None


def is_orderable(type_: Type) -> bool:
    """Whether `<` and `sorted` know an order for values of the type."""
    match type_:
        case IntType() | FloatType() | DecimalType() | StringType() | EnumType() | DateType() | NeverType():
            return True
        case ListType(item=item):
            return is_orderable(item)
        case TupleType(places=places):
            return all(is_orderable(place.type) for place in places)
        case _:
            return False


def is_condition(type_: Type) -> bool:
    """Whether a value of the type may stand as a condition: true, not empty, not null."""
    match type_:
        case BoolType() | StringType() | EnumType() | ListType() | MapType() | NeverType():
            return True
        case OptionalType(inner=inner):
            return not isinstance(inner, BoolType)
        case _:
            return False


def holds_if_filled(type_: Type) -> bool:
    """Whether a condition of the type asks for emptiness (else, of an optional, for null alone)."""
    return isinstance(strip_optional(type_), StringType | EnumType | ListType | MapType)


def mixes_decimal_and_float(one: Type, other: Type) -> bool:
    """Whether the types hold a decimal and a float, which never mix, in the same place."""
    match strip_optional(one), strip_optional(other):
        case (DecimalType(), FloatType()) | (FloatType(), DecimalType()):
            return True
        case ListType(item=mine), ListType(item=theirs):
            return mixes_decimal_and_float(mine, theirs)
        case _:
            return False
