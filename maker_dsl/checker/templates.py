"""Checks a prompt against the static types of what it shows, and rewrites it into plain indexing.

A template may use names, their fields, indexing, comparisons, `and`/`or`/`not`, `if`, `for` over lists and maps, and a
closed list of filters and tests. Everything else of Jinja is refused with what to write instead. The result carries
the rewritten Jinja tree; nothing but `compiler.templates` looks at it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import jinja2
from jinja2 import nodes

from maker_dsl.checker.scope import Path
from maker_dsl.checker.template_values import (
    FORBIDDEN,
    LOOP_PLACES,
    Loop,
    ReplyForms,
    TemplateType,
    Unknown,
    comparable,
    describe,
    filter_result,
    is_number,
    join_types,
    strip_null,
    subject_of,
    test_fits,
)
from maker_dsl.checker.types import contains_never
from maker_dsl.diagnostics import Problems, Severity, Span, did_you_mean
from maker_dsl.syntax import tree
from maker_dsl.templates.environment import (
    COUNTED_FILTER,
    MAX_TEMPLATE_DEPTH,
    MAX_TEMPLATE_PARTS,
    PAIRS_FILTER,
    PROMPTS,
    TemplateTokensError,
)
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
    TupleType,
    Type,
)

_UNKNOWN: Final = Unknown()


@dataclass(frozen=True, slots=True)
class CheckedTemplate:
    """A prompt that may be compiled: its text, its rewritten tree, and the names that it reads."""

    text: tree.Text
    tree: nodes.Template
    names: frozenset[str]
    uses_reply_forms: bool


def check_template(
    text: tree.Text,
    names: Mapping[str, Type],
    unusable: Mapping[str, str],
    problems: Problems,
    not_null: Iterable[Path] = (),
) -> CheckedTemplate | None:
    """Check one template whose context is `names`; `unusable` says of other known names why a prompt can't use them.

    `not_null` are the optional values that the step's `when` has made sure of.
    """
    parsed = _parse(text, problems)
    if parsed is None or _is_too_large(parsed, text, problems):
        return None
    before = len(problems)
    checker = _TemplateChecker(text, names, unusable, problems)
    body = checker.statements(parsed.body, _Scope(known=_known(names, not_null)))
    if len(problems) > before:
        return None
    parsed.body = body
    return CheckedTemplate(text, parsed, frozenset(checker.used), checker.uses_reply_forms)


def _parse(text: tree.Text, problems: Problems) -> nodes.Template | None:
    try:
        return PROMPTS.parse_with_offsets(text.value)
    except TemplateTokensError as error:
        message = error.message or ""
        start, end = _line(text.value, error.lineno)
        placed = _CHARACTER.fullmatch(message)
        if placed is not None:
            message, start = placed["message"], min(int(placed["offset"]), len(text.value) - 1)
            end = start + 1
    except jinja2.TemplateSyntaxError as error:
        start = min(error.lineno, max(len(text.value) - 1, 0))
        end = start + 1
        message = error.message or ""
    except (ValueError, OverflowError):
        start, end, message = 0, len(text.value), "a number in it is too long"
    except RecursionError:
        start, end, message = 0, len(text.value), "it is nested too deeply"
    problems.add(
        "MK281",
        "this prompt can't be read as a template",
        text.part(start, end),
        _plain(message),
        help="`{{ name }}` shows a value, `{% if … %}` … `{% endif %}` and `{% for x in xs %}` … `{% endfor %}` choose "
        "and repeat, `{# … #}` is a comment",
    )
    return None


def _is_too_large(template: nodes.Template, text: tree.Text, problems: Problems) -> bool:
    """Whether a template is nested too deeply or has too many parts; says so. Without recursion, before all else."""
    waiting: list[tuple[nodes.Node, int, int]] = [(template, 0, 0)]
    count = 0
    while waiting:
        node, depth, offset = waiting.pop()
        offset = node.lineno or offset
        count += 1
        if depth > MAX_TEMPLATE_DEPTH or count > MAX_TEMPLATE_PARTS:
            deep = depth > MAX_TEMPLATE_DEPTH
            title = "this prompt is nested too deeply" if deep else "this prompt has too many parts"
            limit = f"more than {MAX_TEMPLATE_DEPTH} levels" if deep else f"more than {MAX_TEMPLATE_PARTS:,}"
            help = "compute the value in a `let` and show that" if deep else "show the text as a value, from an input"
            problems.add("MK284", title, text.part(offset, offset + 1), limit, help=help)
            return True
        waiting.extend((child, depth + 1, offset) for child in node.iter_child_nodes())
    return False


_CHARACTER = re.compile(r"(?P<message>unexpected char .+) at (?P<offset>\d+)")
"""How Jinja speaks of a character that begins no token."""


def _plain(message: str) -> str:
    message = message.split(" Jinja was looking")[0].split(". You probably")[0].rstrip(".")
    message = message.replace("'", "`").replace("jinja", "template").replace("Jinja", "template")
    message = message.replace("end of print statement", "`}}`").replace("end of statement block", "`%}`")
    return message[:1].lower() + message[1:]


def _line(text: str, number: int) -> tuple[int, int]:
    lines = text.split("\n")
    number = max(1, min(number, len(lines)))
    start = sum(len(line) + 1 for line in lines[: number - 1])
    return start, start + max(len(lines[number - 1]), 1)


def _known(names: Mapping[str, Type], paths: Iterable[Path]) -> dict[str, TemplateType]:
    """The types, without null, of the places at the paths."""
    known: dict[str, TemplateType] = {}
    for path in paths:
        type_: TemplateType = names.get(str(path[0]), _UNKNOWN)
        key = str(path[0])
        for part in path[1:]:
            owner = known.get(key, strip_null(type_))
            inner: TemplateType = _UNKNOWN
            match owner:
                case RecordType(members=parts) | TupleType(places=parts):
                    inner = next((one.type for one in parts if one.name == part), _UNKNOWN)
            type_, key = inner, f"{key}.{part}"
        if not isinstance(type_, Unknown):
            known[key] = strip_null(type_)
    return known


@dataclass(frozen=True, slots=True)
class _Scope:
    """Loop variables, and what conditions have told about optional values, by dotted name."""

    locals: Mapping[str, TemplateType] = field(default_factory=dict)
    known: Mapping[str, TemplateType] = field(default_factory=dict)

    def bind(self, names: Mapping[str, TemplateType]) -> _Scope:
        known = {key: value for key, value in self.known.items() if key.split(".")[0].split("[")[0] not in names}
        return _Scope({**self.locals, **names}, known)

    def learn(self, facts: Mapping[str, TemplateType]) -> _Scope:
        return _Scope(self.locals, {**self.known, **facts}) if facts else self


@dataclass(frozen=True, slots=True)
class _Typed:
    node: Any
    type: TemplateType


class _TemplateChecker:
    def __init__(
        self, text: tree.Text, names: Mapping[str, Type], unusable: Mapping[str, str], problems: Problems
    ) -> None:
        self.text = text
        self.names = names
        self.unusable = unusable
        self.problems = problems
        self.used: set[str] = set()
        self.uses_reply_forms = False

    # Statements ------------------------------------------------------------------------------------------------

    def statements(self, body: list[nodes.Node], scope: _Scope) -> list[nodes.Node]:
        return [self._statement(node, scope) for node in body]

    def _statement(self, node: nodes.Node, scope: _Scope) -> nodes.Node:
        if isinstance(node, nodes.Scope):
            # What Jinja wraps around `autoescape`; it has no place of its own.
            node = node.body[0]
        match node:
            case nodes.Output():
                node.nodes = [
                    part if isinstance(part, nodes.TemplateData) else self._shown(part, scope) for part in node.nodes
                ]
            case nodes.If():
                inside = scope.learn(self._facts(node.test, scope, True))
                after = scope.learn(self._facts(node.test, scope, False))
                node.test = self._expression(node.test, scope).node
                node.body = self.statements(node.body, inside)
                for branch in node.elif_:
                    inside = after.learn(self._facts(branch.test, after, True))
                    otherwise = after.learn(self._facts(branch.test, after, False))
                    branch.test = self._expression(branch.test, after).node
                    branch.body = self.statements(branch.body, inside)
                    after = otherwise
                node.else_ = self.statements(node.else_, after)
            case nodes.For():
                self._loop(node, scope)
            case _:
                self._forbid(node)
        return node

    def _shown(self, node: nodes.Node, scope: _Scope) -> Any:
        typed = self._expression(node, scope)
        if isinstance(typed.type, Loop | ReplyForms):
            name = "loop" if isinstance(typed.type, Loop) else "reply"
            places = LOOP_PLACES if isinstance(typed.type, Loop) else {"format": None, "example": None}
            allowed = ", ".join(f"`{name}.{place}`" for place in places)
            self._wrong(node, "MK381", f"`{name}` by itself can't be shown", "", f"it has {allowed}")
        return typed.node

    def _loop(self, node: nodes.For, scope: _Scope) -> None:
        if node.recursive:
            self._add(node.lineno, 1, "MK284", "a `recursive` loop can't be used in a prompt")
        iterable = self._expression(node.iter, scope)
        item = self._item_type(node.iter, iterable.type)
        bound: dict[str, TemplateType] = {"loop": Loop()}
        target = node.target
        if isinstance(target, nodes.Name):
            bound[target.name] = item
        elif isinstance(target, nodes.Tuple) and all(isinstance(part, nodes.Name) for part in target.items):
            parts = [part.name for part in target.items if isinstance(part, nodes.Name)]
            places = item.places if isinstance(item, TupleType) else ()
            if not isinstance(item, Unknown) and len(places) != len(parts):
                what = f"each one is {describe(item)}"
                help = "over a map, write `for key, value in name.items()`"
                self._wrong(target, "MK381", f"the loop takes {len(parts)} names apart", what, help)
            for index, name in enumerate(parts):
                bound[name] = places[index].type if index < len(places) else _UNKNOWN
        else:
            self._forbid(target)
        for name in bound:
            if name.startswith("_"):
                self._wrong(target, "MK284", "a name in a prompt can't start with `_`")
        inner = scope.bind(bound)
        if node.test is not None:
            facts = self._facts(node.test, inner, True)
            node.test = self._expression(node.test, inner).node
            inner = inner.learn(facts)
        node.body = self.statements(node.body, inner)
        node.else_ = self.statements(node.else_, scope)
        node.iter = nodes.Filter(iterable.node, COUNTED_FILTER, [], [], None, None, lineno=node.iter.lineno)

    def _item_type(self, node: nodes.Node, type_: TemplateType) -> TemplateType:
        if self._is_null_possible(node, type_):
            return _UNKNOWN
        match type_:
            case Unknown():
                return _UNKNOWN
            case ListType(item=item):
                return item
            case MapType():
                return StringType()
            case TupleType(places=places):
                return join_types([place.type for place in places])
        self._wrong(node, "MK381", "this can't be looped over", f"it is {describe(type_)}, not a list or map")
        return _UNKNOWN

    # Expressions -----------------------------------------------------------------------------------------------

    def _expression(self, node: nodes.Node, scope: _Scope) -> _Typed:
        key = _key(node)
        typed = self._plain_expression(node, scope)
        if key is not None and key in scope.known:
            return _Typed(typed.node, scope.known[key])
        return typed

    def _plain_expression(self, node: nodes.Node, scope: _Scope) -> _Typed:
        match node:
            case nodes.Name(name="null") if "null" not in scope.locals:
                return _Typed(nodes.Const(None, lineno=node.lineno), NullType())
            case nodes.Name():
                return _Typed(node, self._name(node, scope))
            case nodes.Const():
                return _Typed(node, _const_type(node.value))
            case nodes.List() | nodes.Tuple():
                items = [self._expression(item, scope) for item in node.items]
                node.items = [item.node for item in items]
                return _Typed(node, _list_of([item.type for item in items]))
            case nodes.Getattr():
                owner = self._expression(node.node, scope)
                return self._field(node, owner, node.attr)
            case nodes.Getitem():
                return self._index(node, scope)
            case nodes.Call():
                return self._call(node, scope)
            case nodes.Filter():
                return self._filter(node, scope)
            case nodes.Test():
                return self._test(node, scope)
            case nodes.CondExpr():
                return self._choice(node, scope)
            case nodes.And():
                after = scope.learn(self._facts(node.left, scope, True))
                left = self._expression(node.left, scope)
                right = self._expression(node.right, after)
                node.left, node.right = left.node, right.node
                return _Typed(node, join_types([left.type, right.type]))
            case nodes.Or():
                after = scope.learn(self._facts(node.left, scope, False))
                left = self._expression(node.left, scope)
                right = self._expression(node.right, after)
                node.left, node.right = left.node, right.node
                return _Typed(node, join_types([strip_null(left.type), right.type]))
            case nodes.Not():
                node.node = self._expression(node.node, scope).node
                return _Typed(node, BoolType())
            case nodes.Compare():
                return self._comparison(node, scope)
            case nodes.Add() | nodes.Sub():
                return self._sum(node, scope)
            case nodes.Neg() | nodes.Pos():
                operand = self._expression(node.node, scope)
                self._number(node.node, operand.type)
                node.node = operand.node
                return _Typed(node, operand.type)
        self._forbid(node)
        return _Typed(node, _UNKNOWN)

    def _name(self, node: nodes.Name, scope: _Scope) -> TemplateType:
        name = node.name
        if name in scope.locals:
            return scope.locals[name]
        if name == "reply":
            return ReplyForms()
        if name in self.names:
            self.used.add(name)
            return _UNKNOWN if contains_never(self.names[name]) else self.names[name]
        if name in self.unusable:
            self._wrong(node, "MK286", f"a prompt can't use `{name}`", self.unusable[name])
            return _UNKNOWN
        known = [*self.names, *scope.locals, "reply"]
        shown = ", ".join(f"`{one}`" for one in list(self.names)[:8])
        otherwise = f"a prompt sees inputs, state, `let`s and `reply.format`: {shown}" if shown else None
        self._wrong(node, "MK282", f"nothing is called `{name}` here", "", did_you_mean(name, known, otherwise))
        return _UNKNOWN

    def _field(self, node: nodes.Getattr | nodes.Getitem, owner: _Typed, name: str) -> _Typed:
        at = self._after_dot(node.lineno, name)
        if name.startswith("_"):
            self._add(at, len(name), "MK284", f"`{name}` can't be reached from a prompt", "values have no such fields")
            return _Typed(node, _UNKNOWN)
        if self._is_null_possible(node.node, owner.type):
            return _Typed(node, _UNKNOWN)
        match owner.type:
            case Unknown():
                if owner.type.is_mixed:
                    help = "choose with `{% if … %}`, or compute it in a `let`"
                    self._add(at, len(name), "MK381", f"`.{name}` of a value of more than one type", "", help)
                return _Typed(node, _UNKNOWN)
            case ReplyForms():
                self.uses_reply_forms = True
                if name in ("format", "example"):
                    return _Typed(
                        nodes.Getitem(owner.node, nodes.Const(name), "load", lineno=node.lineno), StringType()
                    )
                label = "the prompt is written before there is a reply"
                forms = did_you_mean(name, ["format", "example"], "a prompt can use `reply.format` and `reply.example`")
                self._add(at, len(name), "MK286", f"a prompt can't use `reply.{name}`", label, forms)
                return _Typed(node, _UNKNOWN)
            case Loop():
                if name in LOOP_PLACES:
                    return _Typed(nodes.Getattr(owner.node, name, "load", lineno=node.lineno), LOOP_PLACES[name])
                self._no_field(at, name, "`loop`", list(LOOP_PLACES))
                return _Typed(node, _UNKNOWN)
            case RecordType(members=members):
                for member in members:
                    if member.name == name:
                        return _Typed(
                            nodes.Getitem(owner.node, nodes.Const(name), "load", lineno=node.lineno), member.type
                        )
                self._no_field(at, name, describe(owner.type), [member.name for member in members])
            case TupleType(places=places):
                for index, place in enumerate(places):
                    if place.name == name:
                        return _Typed(
                            nodes.Getitem(owner.node, nodes.Const(index), "load", lineno=node.lineno), place.type
                        )
                self._no_field(at, name, describe(owner.type), [place.name for place in places])
            case MapType():
                help = f'write `["{name}"]` for the value under a key, `.items()` to loop over keys and values'
                self._add(at, len(name), "MK283", "a map has no fields", "", help)
            case _:
                self._add(at, len(name), "MK283", f"{describe(owner.type)} has no field `{name}`")
        return _Typed(node, _UNKNOWN)

    def _no_field(self, at: int, name: str, owner: str, known: list[str]) -> None:
        listed = "it has " + ", ".join(f"`{one}`" for one in known)
        self._add(at, len(name), "MK283", f"{owner} has no field `{name}`", "", did_you_mean(name, known, listed))

    def _index(self, node: nodes.Getitem, scope: _Scope) -> _Typed:
        owner = self._expression(node.node, scope)
        if isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str):
            fielded = isinstance(strip_null(owner.type), RecordType | TupleType | Loop | ReplyForms)
            if fielded:
                return self._field(node, owner, node.arg.value)
        node_type: TemplateType = _UNKNOWN
        if isinstance(node.arg, nodes.Slice):
            for part in (node.arg.start, node.arg.stop, node.arg.step):
                if part is not None and not isinstance(self._expression(part, scope).type, IntType | Unknown):
                    self._wrong(part, "MK381", "a slice is cut at whole numbers")
            arg = node.arg
            arg.start = None if arg.start is None else self._expression(arg.start, scope).node
            arg.stop = None if arg.stop is None else self._expression(arg.stop, scope).node
            arg.step = None if arg.step is None else self._expression(arg.step, scope).node
            if not self._is_null_possible(node.node, owner.type):
                if isinstance(owner.type, ListType | StringType | Unknown):
                    node_type = owner.type
                else:
                    self._wrong(node.node, "MK381", f"{describe(owner.type)} can't be cut into a slice")
            return _Typed(nodes.Getitem(owner.node, arg, "load", lineno=node.lineno), node_type)
        argument = self._expression(node.arg, scope)
        if not self._is_null_possible(node.node, owner.type):
            node_type = self._indexed(node, owner.type, argument)
        return _Typed(nodes.Getitem(owner.node, argument.node, "load", lineno=node.lineno), node_type)

    def _indexed(self, node: nodes.Getitem, owner: TemplateType, argument: _Typed) -> TemplateType:
        wanted: type = IntType
        result: TemplateType = _UNKNOWN
        match owner:
            case ListType(item=item):
                result = item
            case StringType():
                result = StringType()
            case MapType(value=value):
                wanted, result = StringType, value
            case TupleType(places=places):
                index = node.arg.value if isinstance(node.arg, nodes.Const) else None
                if isinstance(index, int) and not -len(places) <= index < len(places):
                    self._wrong(node.arg, "MK381", f"there is no place {index}", f"it has {len(places)} places")
                elif isinstance(index, int):
                    result = places[index].type
                else:
                    result = join_types([place.type for place in places])
            case Unknown():
                return _UNKNOWN
            case _:
                self._wrong(node.node, "MK381", f"{describe(owner)} can't be indexed")
                return _UNKNOWN
        if not isinstance(argument.type, wanted | Unknown) and not (
            wanted is StringType and isinstance(argument.type, EnumType)
        ):
            what = "a whole number" if wanted is IntType else "a string"
            self._wrong(node.arg, "MK381", f"the index must be {what}", f"it is {describe(argument.type)}")
        return result

    def _peek(self, node: nodes.Node, scope: _Scope) -> TemplateType:
        """The type of an expression without reporting, for names and their fields only."""
        quiet = _TemplateChecker(self.text, self.names, self.unusable, Problems())
        return quiet._expression(_copy(node), scope).type

    def _call(self, node: nodes.Call, scope: _Scope) -> _Typed:
        called = node.node
        plain = not (node.args or node.kwargs or node.dyn_args or node.dyn_kwargs)
        if isinstance(called, nodes.Getattr) and called.attr == "items" and plain:
            owner = self._expression(called.node, scope)
            if self._is_null_possible(called.node, owner.type):
                return _Typed(node, _UNKNOWN)
            if isinstance(owner.type, MapType):
                pairs = nodes.Filter(owner.node, PAIRS_FILTER, [], [], None, None, lineno=node.lineno)
                return _Typed(pairs, subject_of(owner.type))
        self._forbid(node)
        return _Typed(node, _UNKNOWN)

    def _filter(self, node: nodes.Filter, scope: _Scope) -> _Typed:
        if node.node is None:
            self._forbid(node)
            return _Typed(node, _UNKNOWN)
        subject = self._expression(node.node, scope)
        arguments = [self._expression(argument, scope) for argument in node.args]
        if node.kwargs or node.dyn_args or node.dyn_kwargs:
            self._wrong(node, "MK284", "a filter takes plain arguments here", "", "write the values in order")
            return _Typed(node, _UNKNOWN)
        outcome = filter_result(node.name, subject.type, [argument.type for argument in arguments])
        if outcome.problem is not None:
            self._add(node.lineno, len(node.name), outcome.code, outcome.problem, outcome.label, outcome.help)
        node.node, node.args = subject.node, [argument.node for argument in arguments]
        return _Typed(node, outcome.type)

    def _test(self, node: nodes.Test, scope: _Scope) -> _Typed:
        subject = self._expression(node.node, scope)
        at = self.text.value.find(node.name, node.lineno)
        if node.args or node.kwargs or node.dyn_args or node.dyn_kwargs:
            self._add(at, len(node.name), "MK285", f"`is {node.name}` takes no arguments")
        else:
            outcome = test_fits(node.name, subject.type)
            if outcome.problem is not None:
                self._add(at, len(node.name), outcome.code, outcome.problem, outcome.label, outcome.help)
        node.node = subject.node
        return _Typed(node, BoolType())

    def _choice(self, node: nodes.CondExpr, scope: _Scope) -> _Typed:
        inside = scope.learn(self._facts(node.test, scope, True))
        after = scope.learn(self._facts(node.test, scope, False))
        test = self._expression(node.test, scope)
        then = self._expression(node.expr1, inside)
        if node.expr2 is None:
            self._wrong(node, "MK284", "`… if …` needs an `else` here", "", 'write `… if … else ""`')
            return _Typed(node, then.type)
        otherwise = self._expression(node.expr2, after)
        choice = nodes.CondExpr(test.node, then.node, otherwise.node, lineno=node.lineno)
        return _Typed(choice, join_types([then.type, otherwise.type]))

    def _comparison(self, node: nodes.Compare, scope: _Scope) -> _Typed:
        left = self._expression(node.expr, scope)
        previous, node.expr = left, left.node
        for operand in node.ops:
            right = self._expression(operand.expr, scope)
            self._compare(operand, previous, right)
            operand.expr = right.node
            previous = right
        return _Typed(node, BoolType())

    def _compare(self, operand: nodes.Operand, left: _Typed, right: _Typed) -> None:
        if operand.op in ("in", "notin"):
            match strip_null(right.type):
                case ListType(item=item):
                    self._comparable(operand, left, item)
                case MapType():
                    self._comparable(operand, left, StringType())
                case StringType():
                    self._comparable(operand, left, StringType())
                case Unknown():
                    pass
                case other:
                    self._wrong(operand.expr, "MK381", "`in` needs a list, map or string", f"this is {describe(other)}")
            return
        if operand.op not in ("eq", "ne"):
            for side in (left, right):
                if self._is_null_possible(side.node, side.type):
                    return
        self._comparable(operand, left, right.type, right)

    def _comparable(
        self, operand: nodes.Operand, left: _Typed, type_: TemplateType, right: _Typed | None = None
    ) -> None:
        for one, other in ((left, type_), (right, left.type)):
            if one is None or not isinstance(one.node, nodes.Const) or not isinstance(one.node.value, str):
                continue
            enum = strip_null(other)
            if isinstance(enum, EnumType) and one.node.value not in enum.values:
                listed = "it is one of " + ", ".join(f'"{value}"' for value in enum.values)
                help = did_you_mean(one.node.value, enum.values, listed)
                self._wrong(one.node, "MK381", f'this is never "{one.node.value}"', "", help)
                return
        if not comparable(left.type, type_):
            label = f"{describe(left.type)} and {describe(type_)}"
            self._wrong(operand.expr, "MK381", "these can't be compared", label)

    def _sum(self, node: nodes.Add | nodes.Sub, scope: _Scope) -> _Typed:
        left = self._expression(node.left, scope)
        right = self._expression(node.right, scope)
        good = self._number(node.left, left.type) and self._number(node.right, right.type)
        node.left, node.right = left.node, right.node
        if good and {DecimalType, FloatType} <= {type(left.type), type(right.type)}:
            self._wrong(node.right, "MK381", "a decimal and a float don't mix", "", "compute it in a `let`")
        return _Typed(node, right.type if isinstance(left.type, IntType) else left.type)

    def _number(self, node: nodes.Expr, type_: TemplateType) -> bool:
        if isinstance(type_, Unknown):
            return False
        if self._is_null_possible(node, type_):
            return False
        if not is_number(type_):
            help = "put texts side by side: `{{ a }}{{ b }}`" if isinstance(type_, StringType) else None
            self._wrong(node, "MK381", "only numbers can be added in a prompt", f"this is {describe(type_)}", help)
            return False
        return True

    # What conditions tell --------------------------------------------------------------------------------------

    def _facts(self, node: nodes.Node, scope: _Scope, holds: bool) -> dict[str, TemplateType]:
        """What is known not to be null where the condition holds, or does not."""
        match node:
            case nodes.Not():
                return self._facts(node.node, scope, not holds)
            case nodes.And() if holds:
                left = self._facts(node.left, scope, True)
                return {**left, **self._facts(node.right, scope.learn(left), True)}
            case nodes.Or() if not holds:
                left = self._facts(node.left, scope, False)
                return {**left, **self._facts(node.right, scope.learn(left), False)}
            case nodes.Test(name="none") if not holds:
                return self._not_null(node.node, scope)
            case nodes.Compare(ops=[nodes.Operand(op=op, expr=right)]) if _is_null(right):
                return self._not_null(node.expr, scope) if (op == "ne") is holds and op in ("eq", "ne") else {}
            case nodes.Name() | nodes.Getattr() | nodes.Getitem() if holds:
                return self._not_null(node, scope)
        return {}

    def _not_null(self, node: nodes.Node, scope: _Scope) -> dict[str, TemplateType]:
        key = _key(node)
        if key is None:
            return {}
        type_ = self._peek(node, scope)
        return {key: strip_null(type_)} if isinstance(type_, OptionalType) else {}

    def _is_null_possible(self, node: nodes.Node, type_: TemplateType) -> bool:
        if not isinstance(type_, OptionalType | NullType):
            return False
        key = _key(node)
        help = f"write `{{% if {key} %}}` … `{{% endif %}}` around it, or `… if {key} else …`" if key else None
        self._wrong(node, "MK382", "this may be null here", "", help)
        return True

    # Reporting -------------------------------------------------------------------------------------------------

    def _forbid(self, node: nodes.Node) -> None:
        name, help = FORBIDDEN.get(type(node).__name__, ("this", "compute the value in a `let` and show that"))
        start, length = self._extent(node)
        self._add(start, length, "MK284", f"{name} can't be used in a prompt", "", help)

    def _wrong(self, node: nodes.Node, code: str, title: str, label: str = "", help: str | None = None) -> None:
        start, length = self._extent(node)
        self._add(start, length, code, title, label, help)

    def _add(self, start: int, length: int, code: str, title: str, label: str = "", help: str | None = None) -> None:
        self.problems.add(code, title, self._span(start, length), label, help=help)

    def _span(self, start: int, length: int) -> Span:
        return self.text.part(start, start + max(length, 1))

    def _extent(self, node: nodes.Node) -> tuple[int, int]:
        """Where a node stands: exact for names and constants, else the word or sign that makes it."""
        start = node.lineno
        source = self.text.value
        if isinstance(node, nodes.Call):
            return self._extent(node.node)
        if isinstance(node, nodes.BinExpr | nodes.Concat):
            left = node.nodes[0] if isinstance(node, nodes.Concat) else node.left
            sign = "~" if isinstance(node, nodes.Concat) else str(node.operator)
            at, length = self._extent(left)
            found = source.find(sign, at + length)
            return (found, len(sign)) if found >= 0 else (start, 1)
        if isinstance(node, nodes.Getattr | nodes.Getitem):
            inner, _ = self._extent(node.node)
            end = start + 1
            if isinstance(node, nodes.Getattr):
                end = self._after_dot(start, node.attr) + len(node.attr)
            return (inner, end - inner) if inner < end else (start, 1)
        if isinstance(node, nodes.Name):
            return start, len(node.name)
        end = start
        if source[start : start + 1] in ("'", '"'):
            closing = source.find(source[start], start + 1)
            return start, (closing + 1 - start) if closing > 0 else 1
        while end < len(source) and (source[end].isalnum() or source[end] == "_"):
            end += 1
        return start, max(end - start, 1)

    def _after_dot(self, dot: int, name: str) -> int:
        found = self.text.value.find(name, dot)
        return dot if found < 0 else found


def warn_of_blind_prompt(text: tree.Text, problems: Problems) -> None:
    """The warning for a step whose prompts show neither the state nor the form of the reply."""
    problems.add(
        "MK287",
        "this prompt shows neither the state nor the form of the reply",
        text.span,
        "the same question every time",
        help="show a state field as `{{ name }}`, and `{{ reply.format }}`",
        severity=Severity.WARNING,
    )


def _copy(node: nodes.Node) -> nodes.Expr:
    """A copy of names, fields and indexes, which checking would rewrite."""
    match node:
        case nodes.Name():
            return nodes.Name(node.name, node.ctx, lineno=node.lineno)
        case nodes.Getattr():
            return nodes.Getattr(_copy(node.node), node.attr, node.ctx, lineno=node.lineno)
        case nodes.Getitem():
            return nodes.Getitem(_copy(node.node), _copy(node.arg), node.ctx, lineno=node.lineno)
        case nodes.Const():
            return nodes.Const(node.value, lineno=node.lineno)
    return nodes.Const(None, lineno=node.lineno)


def _key(node: nodes.Node) -> str | None:
    """The dotted name of a name or of a field of one."""
    match node:
        case nodes.Name():
            return str(node.name)
        case nodes.Getattr():
            inner = _key(node.node)
            return None if inner is None else f"{inner}.{node.attr}"
        case nodes.Getitem(arg=nodes.Const(value=value)) if isinstance(value, int | str):
            inner = _key(node.node)
            return None if inner is None else f"{inner}[{value!r}]"
    return None


def _is_null(node: nodes.Expr) -> bool:
    return (isinstance(node, nodes.Name) and node.name == "null") or (
        isinstance(node, nodes.Const) and node.value is None
    )


def _const_type(value: object) -> TemplateType:
    types: list[tuple[type, Callable[[], TemplateType]]] = [
        (bool, BoolType),
        (int, IntType),
        (float, FloatType),
        (str, StringType),
    ]
    for python, made in types:
        if isinstance(value, python):
            return made()
    return NullType() if value is None else _UNKNOWN


def _list_of(types: list[TemplateType]) -> TemplateType:
    item = join_types(types)
    return _UNKNOWN if isinstance(item, Unknown | Loop | ReplyForms) else ListType(item)
