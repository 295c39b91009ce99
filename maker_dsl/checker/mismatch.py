"""What to say of a value whose type is not the one wanted."""

from __future__ import annotations

from maker_dsl.checker.relations import is_assignable, mixes_decimal_and_float, strip_optional
from maker_dsl.checker.static import AnyNode
from maker_dsl.diagnostics import Problems, Span, did_you_mean
from maker_dsl.types.display import display
from maker_dsl.types.type import (
    BoolType,
    DecimalType,
    EnumType,
    FloatType,
    IntType,
    ListType,
    MapType,
    NullType,
    OptionalType,
    RecordType,
    StringType,
    Type,
)


def report_mismatch(problems: Problems, span: Span, actual: Type, expected: Type) -> None:
    """Report a value of type `actual` where one of type `expected` is wanted."""
    if isinstance(actual, OptionalType | NullType) and not isinstance(expected, OptionalType):
        if isinstance(actual, NullType) or is_assignable(actual.inner, expected):
            report_null(problems, span, actual, f"{display(expected)} is wanted here")
            return
    elif mixes_decimal_and_float(actual, expected):
        report_mixed(problems, span, f"this is {display(actual)}, {display(expected)} is wanted here")
        return
    problems.add(
        "MK301",
        "wrong type",
        span,
        f"expected {display(expected)}, found {display(actual)}",
        help=_mismatch_help(actual, expected),
    )


def report_null(problems: Problems, span: Span, type_: Type, why: str) -> None:
    """Report an optional value that is used as if it were there."""
    label = "this is `null`" if isinstance(type_, NullType) else f"this may be null: its type is {display(type_)}"
    problems.add(
        "MK304",
        "value may be null",
        span,
        f"{label}; {why}",
        help="handle null first: `x ?? default`, `… if x != null else …`, or `x != null and …`",
    )


def report_mixed(problems: Problems, span: Span, label: str) -> None:
    """Report a decimal and a float in one place."""
    problems.add(
        "MK316",
        "decimal and float don't mix",
        span,
        label,
        help="decimals are exact and floats are not: say which one you mean with `decimal(x)` or `float(x)`",
    )


def suggest(name: str, known: list[str], otherwise: str) -> str | None:
    """A help text: the nearest known name, else the names there are (if few)."""
    listed = ", ".join(f"`{each}`" for each in known)
    return did_you_mean(name, known, f"{otherwise} {listed}" if known and len(known) <= 12 else None)


def condition_help(node: AnyNode, type_: Type) -> str:
    """How to make a condition of a value that is none."""
    text = node.span.text if len(node.span.text) <= 20 and "\n" not in node.span.text else "x"
    match type_:
        case IntType() | FloatType() | DecimalType():
            return f"compare it: `{text} != 0`"
        case OptionalType(inner=BoolType()):
            return f"say what null means: `{text} == true` or `{text} ?? false`"
        case _:
            return "a condition is a bool, or a list, string, map (not empty) or an optional value (not null)"


def _mismatch_help(actual: Type, expected: Type) -> str | None:
    match strip_optional(actual), strip_optional(expected):
        case FloatType() | DecimalType(), IntType():
            return "make it an int with `round(x)`, `floor(x)` or `ceil(x)`; `//` divides ints into an int"
        case StringType(), IntType():
            return "`int(text)` reads an int from a text (it gives `int?`)"
        case StringType(), DecimalType():
            return "`decimal(text)` reads a decimal from a text (it gives `decimal?`)"
        case StringType(), EnumType(values=values):
            listed = ", ".join(f'`"{value}"`' for value in values)
            return f"write one of {listed} here; a `let` of such a text is a string, a `def` can give the enum"
        case IntType() | FloatType() | DecimalType() | BoolType(), StringType():
            return "`string(x)` makes a text of any value"
        case RecordType(), MapType():
            return 'quote the names to write a map: `{ "key": value }`'
        case MapType(), RecordType():
            return "a record's members are written without quotes: `{ name: value }`"
        case RecordType() as found, RecordType() as wanted:
            return _member_help(found, wanted)
        case ListType(item=RecordType() as found), ListType(item=RecordType() as wanted):
            return _member_help(found, wanted)
        case inner, ListType(item=item) if is_assignable(inner, item):
            return "a list of one is written `[x]`"
        case _:
            return None


def _member_help(found: RecordType, wanted: RecordType) -> str | None:
    """Which member makes a record another one."""
    members = {member.name: member.type for member in found.members}
    for member in wanted.members:
        own = members.get(member.name)
        if own is None:
            return f"the member `{member.name}` is missing"
        if not is_assignable(own, member.type):
            if isinstance(own, OptionalType) and is_assignable(own.inner, member.type):
                return f"the member `{member.name}` may be null here: say what it is then with `??`"
            return f"the member `{member.name}` is {display(own)} here, {display(member.type)} is wanted"
    known = {member.name for member in wanted.members}
    extra = next((name for name in members if name not in known), None)
    return None if extra is None else f"the member `{extra}` is too much"
