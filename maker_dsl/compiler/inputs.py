"""Binds inputs: given values or defaults, each of its concrete type, which may depend on the inputs before it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from maker_dsl.checker.checked import CheckedInput
from maker_dsl.compiler.module import Compiled, Entry, explain_failure
from maker_dsl.compiler.types import ConcreteTypes
from maker_dsl.diagnostics import Label, Problems, Source, Span, did_you_mean
from maker_dsl.expressions.errors import EvaluationError
from maker_dsl.task import ValueCodec
from maker_dsl.types.display import display
from maker_dsl.types.errors import ValueRefused
from maker_dsl.types.type import DateType, EnumType, Member, OptionalType, StringType, Type


@dataclass(frozen=True, slots=True)
class InputPlan:
    """An input and the entry that gives its default."""

    checked: CheckedInput
    default: str | None


@dataclass(frozen=True, slots=True)
class BoundInputs:
    """The values of all inputs, with their concrete types."""

    values: Mapping[str, Any]
    members: tuple[Member, ...]


TypesOver = Callable[[Mapping[str, Entry]], ConcreteTypes]
"""Concrete types over the entries of a module that is bound to the inputs known so far."""

MakeCodec = Callable[[str, Type], ValueCodec]
"""The codec of a type, made once per place (the first argument) and type."""


def bind_inputs(
    plans: tuple[InputPlan, ...],
    given: Mapping[str, object],
    module: Compiled,
    types_over: TypesOver,
    make_codec: MakeCodec,
    problems: Problems,
) -> BoundInputs:
    """The values of the inputs; wrong, unknown and missing ones go to `problems`."""
    known = [plan.checked.name for plan in plans]
    for name, value in given.items():
        if name not in known:
            listed = "its inputs are " + ", ".join(f"`{one}`" for one in known) if known else "it has no inputs"
            place = _given_place(name, value, whole=False)
            problems.add("MK650", f"the task has no input `{name}`", place, help=did_you_mean(name, known, listed))
    values: dict[str, Any] = {}
    members: list[Member] = []
    for plan in plans:
        name = plan.checked.name
        declared = plan.checked.declaration
        if name not in given and plan.default is None:
            title = f"the input `{name}` has to be given: it has no default"
            label = f"{display(plan.checked.type)}"
            problems.add("MK651", title, declared.name.span, label, help=f"on the command line: `--set {name}=…`")
            return BoundInputs(values, tuple(members))
        entries = module.bind(values)
        before = len(problems)
        type_ = types_over(entries).resolve(declared.type)
        if len(problems) > before:
            return BoundInputs(values, tuple(members))
        members.append(Member(name, type_))
        codec = make_codec(f"input {name}", type_)
        if name in given:
            values[name] = _given(plan, given[name], codec, problems)
        elif plan.default is not None:
            values[name] = _default(plan, entries[plan.default], codec, problems)
        if len(problems) > before:
            return BoundInputs(values, tuple(members))
    return BoundInputs(values, tuple(members))


def _given(plan: InputPlan, value: object, codec: ValueCodec, problems: Problems) -> Any:
    try:
        return codec.validate(value)
    except ValueRefused as error:
        name = plan.checked.name
        also = [Label(plan.checked.declaration.name.span, "the input")]
        title = f"this is no value for the input `{name}`"
        problems.add("MK652", title, _given_place(name, value, whole=True), str(error), also=also)
        return None


def _default(plan: InputPlan, entry: Entry, codec: ValueCodec, problems: Problems) -> Any:
    default = plan.checked.declaration.default
    assert default is not None
    try:
        return codec.validate(entry())
    except ValueRefused as error:
        title = f"the default of `{plan.checked.name}` doesn't fit its type"
        problems.add("MK356", title, default.span, str(error))
    except EvaluationError as error:
        finding = explain_failure(error, default.span, f"the default of `{plan.checked.name}`")
        problems.add("MK361", finding.title, finding.primary.span, finding.primary.text)
    return None


def _given_place(name: str, value: object, *, whole: bool) -> Span:
    """A place in a text that shows what was given, since values have no file."""
    shown = _show(value)
    source = Source("inputs", f"{name} = {shown}")
    return Span(source, len(name) + 3, len(source.text)) if whole else Span(source, 0, len(name))


def _show(value: object) -> str:
    try:
        text = json.dumps(value, ensure_ascii=False, default=_plain)
    except (TypeError, ValueError, RecursionError):
        text = type(value).__name__
    return text if len(text) <= 60 else text[:59] + "…"


def _plain(value: object) -> object:
    return float(value) if isinstance(value, Decimal) else str(value)


def read_input(checked: CheckedInput, text: str) -> object:
    """The value that a text such as that of `--set name=text` gives: strings, dates and enums bare, others in JSON.

    A text that is not JSON is given on as it stands, for the type to refuse.
    """
    type_ = checked.type
    if isinstance(type_, OptionalType):
        if text == "null":
            return None
        type_ = type_.inner
    if isinstance(type_, StringType | DateType | EnumType):
        return text
    try:
        return json.loads(text, parse_float=Decimal, parse_constant=lambda _: text)
    except (ValueError, RecursionError):
        return text
