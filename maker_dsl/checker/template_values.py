"""What the template checker knows of values: their static types, `loop`, `reply`, and the filters and tests.

A value of several possible types (`last or "none"`) may be shown but not looked into.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from maker_dsl.diagnostics import did_you_mean
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


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value of more than one possible type, or one already reported as wrong."""

    is_mixed: bool = False


@dataclass(frozen=True, slots=True)
class Loop:
    """`loop` inside a `for`."""


@dataclass(frozen=True, slots=True)
class ReplyForms:
    """`reply` in a prompt: `reply.format` and `reply.example`."""


TemplateType = Type | Unknown | Loop | ReplyForms

LOOP_PLACES: dict[str, Type] = {
    "index": IntType(),
    "index0": IntType(),
    "revindex": IntType(),
    "revindex0": IntType(),
    "first": BoolType(),
    "last": BoolType(),
    "length": IntType(),
}

FORBIDDEN: dict[str, tuple[str, str]] = {
    "Assign": ("`set`", "give the value a name with a `let` in the step"),
    "AssignBlock": ("`set`", "give the value a name with a `let` in the step"),
    "Include": ("`include`", "write the text here, or make it an input of type `string`"),
    "Import": ("`import`", "write the text here"),
    "FromImport": ("`import`", "write the text here"),
    "Extends": ("`extends`", "write the text here"),
    "Block": ("`block`", "write the text here"),
    "Macro": ("`macro`", "compute the value in a `def` and a `let`"),
    "CallBlock": ("`call`", "compute the value in a `def` and a `let`"),
    "FilterBlock": ("a `filter` block", "use filters on single values: `{{ name | upper }}`"),
    "With": ("`with`", "give the value a name with a `let` in the step"),
    "ScopedEvalContextModifier": ("`autoescape`", "prompts are plain text and are never escaped"),
    "EvalContextModifier": ("`autoescape`", "prompts are plain text and are never escaped"),
    "Call": ("a call", "compute the value in a `let` and show that"),
    "Mul": ("`*`", "compute the value in a `let` and show that"),
    "Div": ("`/`", "compute the value in a `let` and show that"),
    "FloorDiv": ("`//`", "compute the value in a `let` and show that"),
    "Mod": ("`%`", "compute the value in a `let` and show that"),
    "Pow": ("`**`", "compute the value in a `let` and show that"),
    "Concat": ("`~`", "put the parts side by side: `{{ a }}{{ b }}`"),
    "Dict": ("a map", "compute the value in a `let` and show that"),
}

_FILTER_NAMES = (
    "length",
    "join",
    "json",
    "upper",
    "lower",
    "capitalize",
    "trim",
    "indent",
    "first",
    "last",
)
_TEST_NAMES = ("none", "odd", "even")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a filter or test gives, or what is wrong with it."""

    type: TemplateType = Unknown()
    code: str = "MK381"
    problem: str | None = None
    label: str = ""
    help: str | None = None


def filter_result(name: str, subject: TemplateType, arguments: Sequence[TemplateType]) -> Outcome:
    """The type of `subject | name(arguments)`."""
    if name not in _FILTER_NAMES:
        allowed = "prompts have " + ", ".join(f"`{one}`" for one in _FILTER_NAMES)
        return Outcome(
            code="MK285", problem=f"there is no filter `{name}`", help=did_you_mean(name, _FILTER_NAMES, allowed)
        )
    wanted = {"join": StringType, "indent": IntType}.get(name)
    if len(arguments) > (wanted is not None):
        return Outcome(code="MK285", problem=f"`{name}` takes {'one argument' if wanted else 'no arguments'}")
    if wanted is not None and arguments and not isinstance(arguments[0], wanted | Unknown):
        what = "a text" if wanted is StringType else "a whole number"
        return Outcome(problem=f"`{name}` takes {what}", label=f"this is {describe(arguments[0])}")
    if isinstance(subject, Unknown) or name == "json":
        return Outcome(StringType() if name not in ("first", "last", "length") else Unknown())
    if isinstance(subject, OptionalType | NullType):
        return Outcome(
            code="MK382", problem="this may be null here", help="write `{% if … %}` … `{% endif %}` around it"
        )
    match name, subject:
        case "length", ListType() | MapType() | StringType():
            return Outcome(IntType())
        case "join", ListType() | TupleType():
            return Outcome(StringType())
        case (("first" | "last"), ListType(item=item)):
            return Outcome(item)
        case (("upper" | "lower" | "capitalize" | "trim"), StringType() | EnumType()):
            return Outcome(StringType())
        case "indent", _:
            return Outcome(StringType())
    return Outcome(problem=f"`{name}` can't be used on {describe(subject)}")


def test_fits(name: str, subject: TemplateType) -> Outcome:
    """Whether `subject is name` makes sense."""
    if name not in _TEST_NAMES:
        allowed = "prompts have " + ", ".join(f"`is {one}`" for one in _TEST_NAMES)
        return Outcome(
            code="MK285", problem=f"there is no test `{name}`", help=did_you_mean(name, _TEST_NAMES, allowed)
        )
    if name != "none" and not isinstance(subject, IntType | Unknown):
        return Outcome(problem=f"only an int is {name}", label=f"this is {describe(subject)}")
    return Outcome(BoolType())


def join_types(types: Sequence[TemplateType]) -> TemplateType:
    """The type of a value that is one of several."""
    plain = [strip_null(one) for one in types if not isinstance(one, NullType)]
    nullable = any(isinstance(one, OptionalType | NullType) for one in types)
    if not plain:
        return NullType() if nullable else Unknown()
    first = plain[0]
    if any(one != first for one in plain[1:]):
        return Unknown(is_mixed=True)
    return OptionalType(first) if nullable and not isinstance(first, Unknown | Loop | ReplyForms) else first


def strip_null(type_: TemplateType) -> TemplateType:
    """The type without null."""
    if isinstance(type_, OptionalType):
        return type_.inner
    return Unknown() if isinstance(type_, NeverType) else type_


def is_number(type_: TemplateType) -> bool:
    """Whether it is an int, float or decimal."""
    return isinstance(type_, IntType | FloatType | DecimalType)


def comparable(left: TemplateType, right: TemplateType) -> bool:
    """Whether comparing the two could ever be of use."""
    if isinstance(left, NullType) or isinstance(right, NullType):
        return True
    left, right = strip_null(left), strip_null(right)
    if isinstance(left, Unknown) or isinstance(right, Unknown):
        return True
    if is_number(left) and is_number(right):
        return True
    texts = (StringType, EnumType)
    if isinstance(left, texts) and isinstance(right, texts):
        return True
    return type(left) is type(right)


def subject_of(type_: MapType) -> ListType:
    """The type of `map.items()`."""
    return ListType(TupleType((Member("key", StringType()), Member("value", type_.value))))


def describe(type_: TemplateType) -> str:
    """A type in a few words, for messages."""
    alias = getattr(type_, "alias", None)
    if isinstance(alias, str):
        return f"`{alias}`"
    match type_:
        case IntType():
            return "an int"
        case FloatType():
            return "a float"
        case DecimalType():
            return "a decimal"
        case BoolType():
            return "a bool"
        case StringType():
            return "a string"
        case DateType():
            return "a date"
        case EnumType():
            return "one of " + ", ".join(f'"{value}"' for value in type_.values[:4])
        case ListType():
            return "a list"
        case MapType():
            return "a map"
        case RecordType():
            return "a record"
        case TupleType():
            return "a tuple"
        case OptionalType(inner=inner):
            return f"{describe(inner)} or null"
        case NullType():
            return "null"
        case Loop():
            return "`loop`"
        case ReplyForms():
            return "`reply`"
        case NeverType() | Unknown():
            return "a value of more than one type"
