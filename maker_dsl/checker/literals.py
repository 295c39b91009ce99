"""Checks literals: what they are depends on what is wanted of them."""

from __future__ import annotations

from decimal import Decimal

from maker_dsl.checker.inference import Inference
from maker_dsl.checker.mismatch import suggest
from maker_dsl.checker.relations import is_assignable, join, member_type, strip_optional
from maker_dsl.checker.scope import Scope
from maker_dsl.checker.static import AnyNode
from maker_dsl.diagnostics import Label, did_you_mean
from maker_dsl.expressions.limits import MAX_DECIMAL_DIGITS, MAX_DECIMAL_EXPONENT, MAX_INT_BITS
from maker_dsl.syntax import tree
from maker_dsl.types.display import display
from maker_dsl.types.type import (
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


def infer_int(inference: Inference, node: tree.IntLiteral) -> Type:
    """`12`."""
    if node.value.bit_length() > MAX_INT_BITS:
        inference.problems.add(
            "MK317", "number too large", node.span, f"an int has at most {MAX_INT_BITS} binary digits"
        )
        return NeverType()
    return IntType()


def infer_fraction(inference: Inference, node: tree.FractionLiteral, hint: Type | None) -> Type:
    """`1.5`: a decimal where one is wanted, else a float."""
    is_decimal = hint is not None and isinstance(strip_optional(hint), DecimalType)
    if is_decimal:
        number = Decimal(node.text.replace("_", ""))
        fits = len(number.as_tuple().digits) <= MAX_DECIMAL_DIGITS and abs(number.adjusted()) <= MAX_DECIMAL_EXPONENT
        limit = f"a decimal has at most {MAX_DECIMAL_DIGITS} digits and exponents up to {MAX_DECIMAL_EXPONENT}"
    else:
        fits = abs(float(node.text.replace("_", ""))) != float("inf")
        limit = "a float goes up to about 1.8e308"
    if not fits:
        inference.problems.add("MK317", "number too large", node.span, limit)
        return NeverType()
    return DecimalType() if is_decimal else FloatType()


def infer_string(inference: Inference, node: tree.StringLiteral, hint: Type | None) -> Type:
    """`"x"`: an enum's value where one is wanted, else a string."""
    wanted = None if hint is None else strip_optional(hint)
    if not isinstance(wanted, EnumType):
        return StringType()
    if node.value not in wanted.values:
        listed = ", ".join(f'`"{value}"`' for value in wanted.values[:12])
        inference.problems.add(
            "MK310",
            "not one of the values",
            node.span,
            f"{display(wanted)} has no value `{node.value}`",
            help=did_you_mean(node.value, wanted.values, f"its values are {listed}"),
        )
        return NeverType()
    return wanted


def infer_list(inference: Inference, node: tree.ListLiteral, scope: Scope, hint: Type | None) -> Type:
    """`[a, b]`: a tuple where one is wanted, else a list."""
    wanted = None if hint is None else strip_optional(hint)
    if isinstance(wanted, TupleType):
        return _infer_tuple(inference, node, scope, wanted)
    item_hint = wanted.item if isinstance(wanted, ListType) else None
    return join_items(inference, node.items, scope, item_hint, ListType)


def join_items(
    inference: Inference,
    parts: tuple[tree.Expression, ...],
    scope: Scope,
    hint: Type | None,
    of: type[ListType] | type[MapType],
) -> Type:
    """The type of a list or map of these items: of their common type, to which they are fitted."""
    common: Type = NeverType()
    failed = False
    for part in parts:
        type_ = inference.infer(part, scope, hint if hint is not None else common)
        failed |= inference.is_wrong(type_)
        joined = join(common, type_)
        if joined is None:
            failed = True
            if hint is not None:
                inference.fit(part, hint)
            else:
                _report_different(inference, part, parts[0], type_, common, is_map=of is MapType)
        else:
            common = joined
    if failed:
        return NeverType()
    if hint is not None and is_assignable(common, hint):
        common = hint
    fitted = [inference.fit(part, common) for part in parts]
    return of(common) if all(fitted) else NeverType()


def _report_different(
    inference: Inference, part: tree.Expression, first: tree.Expression, type_: Type, common: Type, *, is_map: bool
) -> None:
    help = "the values of a list, a map or a conditional have one type in common"
    if is_map:
        help = "the values of a map have one type; a record, whose names stand without quotes, is `{ name: value }`"
    inference.problems.add(
        "MK311",
        "values of different types",
        part.span,
        f"this is {display(type_)}",
        also=[Label(first.span, f"this is {display(common)}")],
        help=help,
    )


def _infer_tuple(inference: Inference, node: tree.ListLiteral, scope: Scope, wanted: TupleType) -> Type:
    places = wanted.places
    types = [
        inference.infer(item, scope, places[index].type if index < len(places) else None)
        for index, item in enumerate(node.items)
    ]
    if len(types) != len(places):
        names = ", ".join(place.name for place in places)
        inference.problems.add(
            "MK308",
            "places of a tuple",
            node.span,
            f"{len(types)} given, {display(wanted)} has {len(places)}",
            help=f"its places are [{names}]",
        )
        return NeverType()
    if any(map(inference.is_wrong, types)):
        return NeverType()
    natural = tuple(Member(place.name, type_) for place, type_ in zip(places, types, strict=True))
    alias = wanted.alias if all(map(is_assignable, types, [place.type for place in places])) else None
    return TupleType(natural, alias=alias)


def infer_record(inference: Inference, node: tree.RecordLiteral, scope: Scope, hint: Type | None) -> Type:
    """`{ ...r, a: x }`: a record; `{}` is an empty map unless a record is wanted."""
    wanted = None if hint is None else strip_optional(hint)
    if not node.entries and not isinstance(wanted, RecordType):
        return MapType(wanted.value if isinstance(wanted, MapType) else NeverType())
    members: dict[str, Type] = {}
    spread: dict[str, Type] = {}
    given: dict[str, tree.RecordMember] = {}
    failed = False
    for entry in node.entries:
        if isinstance(entry, tree.Spread):
            type_ = inference.infer(entry.value, scope, None)
            if isinstance(type_, RecordType):
                spread |= {member.name: member.type for member in type_.members}
                members |= spread
            else:
                failed = True
                _report_spread(inference, entry, type_)
            continue
        name = entry.name.name
        if name in given:
            failed = True
            inference.problems.add(
                "MK309",
                "members of a record",
                entry.name.span,
                f"`{name}` is given twice",
                also=[Label(given[name].name.span, "first here")],
            )
        given[name] = entry
        member_hint = member_type(wanted.members, name) if isinstance(wanted, RecordType) else spread.get(name)
        members[name] = inference.infer(entry.value, scope, member_hint)
        failed |= inference.is_wrong(members[name])
    if failed:
        return NeverType()
    if isinstance(wanted, RecordType):
        for member in wanted.members:
            if isinstance(member.type, OptionalType):
                members.setdefault(member.name, member.type)
    elif spread:
        for name, entry in given.items():
            if name not in spread:
                inference.problems.add(
                    "MK309",
                    "members of a record",
                    entry.name.span,
                    f"the copied record has no member `{name}`",
                    help=suggest(name, list(spread), "its members are"),
                )
                failed = True
            elif inference.fit(entry.value, spread[name]):
                members[name] = spread[name]
            else:
                failed = True
    return NeverType() if failed else RecordType(tuple(Member(name, type_) for name, type_ in members.items()))


def _report_spread(inference: Inference, entry: tree.Spread, type_: Type) -> None:
    if isinstance(type_, OptionalType | NullType):
        inference.report_null(entry.value.span, type_, "it can't be copied")
    elif not isinstance(type_, NeverType):
        inference.problems.add(
            "MK301", "wrong type", entry.value.span, f"`...` copies a record, this is {display(type_)}"
        )


def infer_map(inference: Inference, node: tree.MapLiteral, scope: Scope, hint: Type | None) -> Type:
    """`{ "key": value }`."""
    wanted = None if hint is None else strip_optional(hint)
    if isinstance(wanted, RecordType) and node.entries:
        return _refuse_quoted_names(inference, node, scope, wanted)
    seen: dict[str, tree.Expression] = {}
    for key, _ in node.entries:
        inference.check(key, scope, StringType())
        if isinstance(key, tree.StringLiteral):
            if key.value in seen:
                inference.problems.add(
                    "MK309",
                    "keys of a map",
                    key.span,
                    f'`"{key.value}"` is given twice',
                    also=[Label(seen[key.value].span, "first here")],
                )
            seen[key.value] = key
    value_hint = wanted.value if isinstance(wanted, MapType) else None
    return join_items(inference, tuple(value for _, value in node.entries), scope, value_hint, MapType)


def _refuse_quoted_names(inference: Inference, node: tree.MapLiteral, scope: Scope, wanted: RecordType) -> Type:
    """Report `{ "name": value }`, as JSON writes it, where a record is wanted."""
    written: list[str] = []
    for key, value in node.entries:
        name = key.value if isinstance(key, tree.StringLiteral) else "name"
        inference.infer(value, scope, member_type(wanted.members, name))
        text = value.span.text
        written.append(f"{name}: {text if len(text) <= 24 and chr(10) not in text else '…'}")
    more = ", …" if len(written) > 4 else ""
    inference.problems.add(
        "MK301",
        "a record's names stand without quotes",
        node.span,
        f"a record is wanted here: {display(wanted)}",
        help="write `{ " + ", ".join(written[:4]) + more + " }`",
    )
    return NeverType()


def is_literal(node: AnyNode) -> bool:
    """Whether the expression's type depends on what is wanted of it, so that its neighbours are looked at first."""
    match node:
        case tree.IntLiteral() | tree.FractionLiteral() | tree.StringLiteral() | tree.NullLiteral():
            return True
        case tree.ListLiteral() | tree.RecordLiteral() | tree.MapLiteral():
            return True
        case tree.Unary(operator="-" | "+", operand=operand):
            return is_literal(operand)
        case tree.Conditional(then=then, otherwise=otherwise):
            return is_literal(then) and is_literal(otherwise)
        case _:
            return False
