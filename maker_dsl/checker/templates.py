"""Checks a prompt against the static types of what it shows, and rewrites it into plain indexing.

A template may use names, their fields, indexing, comparisons, `and`/`or`/`not`, `if`, `for` over lists and maps, and a
closed list of filters and tests. Everything else of Jinja is refused with what to write instead. The result carries
the rewritten Jinja tree; nothing but `compiler.templates` looks at it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import jinja2
from jinja2 import nodes

from maker_dsl.checker.scope import Path
from maker_dsl.checker.template_expressions import TemplateExpressions
from maker_dsl.checker.template_marks import find_unclosed
from maker_dsl.checker.template_report import TemplateReport
from maker_dsl.checker.template_scope import TemplateScope, known_values
from maker_dsl.checker.template_values import LOOP_PLACES, Loop, ReplyForms, TemplateType, Unknown, describe, join_types
from maker_dsl.diagnostics import Problems, Severity
from maker_dsl.syntax import tree
from maker_dsl.templates.environment import (
    COUNTED_FILTER,
    MAX_TEMPLATE_DEPTH,
    MAX_TEMPLATE_PARTS,
    PROMPTS,
    TemplateTokensError,
)
from maker_dsl.types.type import ListType, MapType, StringType, TupleType, Type

_UNKNOWN: Final = Unknown()


@dataclass(frozen=True, slots=True)
class CheckedTemplate:
    """A prompt that may be compiled: its text, its rewritten tree, and the names that it reads."""

    text: tree.Text
    tree: nodes.Template
    names: frozenset[str]
    uses_reply_forms: bool

    @property
    def fixed_text(self) -> str:
        """The words that are the same in every prompt: the text itself and the texts in its expressions."""
        shown = [node.data for node in self.tree.find_all(nodes.TemplateData)]
        written = [node.value for node in self.tree.find_all(nodes.Const) if isinstance(node.value, str)]
        return "\n".join([*shown, *written])


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
    report = TemplateReport(text, problems)
    expressions = TemplateExpressions(report, names, unusable)
    scope = TemplateScope(known=known_values(names, not_null))
    body = _Statements(expressions, report).check(parsed.body, scope)
    if len(problems) > before:
        return None
    parsed.body = body
    return CheckedTemplate(text, parsed, frozenset(expressions.used), expressions.uses_reply_forms)


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
    unclosed = find_unclosed(text.value)
    if unclosed is not None:
        place = text.part(unclosed.start, unclosed.end)
        problems.add("MK281", f"this `{unclosed.shown}` is never closed", place, help=f"add `{unclosed.missing}`")
        return None
    problems.add(
        "MK281",
        "this prompt can't be read as a template",
        text.part(start, end),
        _plain(message),
        help="`{{ name }}` shows a value, `{% if … %}` … `{% endif %}` and `{% for x in xs %}` … `{% endfor %}` choose "
        "and repeat, `{# … #}` is a comment",
    )
    return None


_CHARACTER = re.compile(r"(?P<message>unexpected char .+) at (?P<offset>\d+)")
"""How Jinja speaks of a character that begins no token."""


def _plain(message: str) -> str:
    message = message.split(" Jinja was looking")[0].split(". You probably")[0].rstrip(".")
    message = message.replace("token 'end of print statement'", "'}}'")
    message = message.replace("token 'end of statement block'", "'%}'").replace("token '", "'")
    message = message.replace("'", "`").replace("jinja", "template").replace("Jinja", "template")
    message = message.replace("end of print statement", "}}").replace("end of statement block", "%}")
    return message[:1].lower() + message[1:]


def _line(text: str, number: int) -> tuple[int, int]:
    lines = text.split("\n")
    number = max(1, min(number, len(lines)))
    start = sum(len(line) + 1 for line in lines[: number - 1])
    return start, start + max(len(lines[number - 1]), 1)


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


class _Statements:
    """Checks the blocks of one template."""

    def __init__(self, expressions: TemplateExpressions, report: TemplateReport) -> None:
        self._expressions = expressions
        self._report = report

    def check(self, body: list[nodes.Node], scope: TemplateScope) -> list[nodes.Node]:
        """Check a body in place; gives it rewritten."""
        return [self._statement(node, scope) for node in body]

    def _statement(self, node: nodes.Node, scope: TemplateScope) -> nodes.Node:
        if isinstance(node, nodes.Scope):
            # What Jinja wraps around `autoescape`; it has no place of its own.
            node = node.body[0]
        match node:
            case nodes.Output():
                node.nodes = [
                    part if isinstance(part, nodes.TemplateData) else self._shown(part, scope) for part in node.nodes
                ]
            case nodes.If():
                inside = scope.learn(self._expressions.facts(node.test, scope, True))
                after = scope.learn(self._expressions.facts(node.test, scope, False))
                node.test = self._expressions.check(node.test, scope).node
                node.body = self.check(node.body, inside)
                for branch in node.elif_:
                    inside = after.learn(self._expressions.facts(branch.test, after, True))
                    otherwise = after.learn(self._expressions.facts(branch.test, after, False))
                    branch.test = self._expressions.check(branch.test, after).node
                    branch.body = self.check(branch.body, inside)
                    after = otherwise
                node.else_ = self.check(node.else_, after)
            case nodes.For():
                self._loop(node, scope)
            case _:
                self._report.forbid(node)
        return node

    def _shown(self, node: nodes.Node, scope: TemplateScope) -> Any:
        typed = self._expressions.check(node, scope)
        if isinstance(typed.type, Loop | ReplyForms):
            name = "loop" if isinstance(typed.type, Loop) else "reply"
            places = LOOP_PLACES if isinstance(typed.type, Loop) else {"format": None, "example": None}
            allowed = ", ".join(f"`{name}.{place}`" for place in places)
            self._report.wrong(node, "MK381", f"`{name}` by itself can't be shown", "", f"it has {allowed}")
        return typed.node

    def _loop(self, node: nodes.For, scope: TemplateScope) -> None:
        if node.recursive:
            self._report.add(node.lineno, 1, "MK284", "a `recursive` loop can't be used in a prompt")
        iterable = self._expressions.check(node.iter, scope)
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
                self._report.wrong(target, "MK381", f"the loop takes {len(parts)} names apart", what, help)
            for index, name in enumerate(parts):
                bound[name] = places[index].type if index < len(places) else _UNKNOWN
        else:
            self._report.forbid(target)
        for name in bound:
            if name.startswith("_"):
                self._report.wrong(target, "MK284", "a name in a prompt can't start with `_`")
        inner = scope.bind(bound)
        if node.test is not None:
            facts = self._expressions.facts(node.test, inner, True)
            node.test = self._expressions.check(node.test, inner).node
            inner = inner.learn(facts)
        node.body = self.check(node.body, inner)
        node.else_ = self.check(node.else_, scope)
        size = len(node.body) + sum(1 for part in node.body for _ in part.find_all(nodes.Node))
        cost = nodes.Const(size, lineno=node.lineno)
        node.iter = nodes.Filter(iterable.node, COUNTED_FILTER, [cost], [], None, None, lineno=node.iter.lineno)

    def _item_type(self, node: nodes.Node, type_: TemplateType) -> TemplateType:
        if self._report.may_be_null(node, type_):
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
        self._report.wrong(node, "MK381", "this can't be looped over", f"it is {describe(type_)}, not a list or map")
        return _UNKNOWN


def warn_of_silent_prompt(text: tree.Text, problems: Problems) -> None:
    """The warning for a step whose prompts don't tell the model in which form to answer."""
    problems.add(
        "MK288",
        "the prompt never says how the answer must look",
        text.span,
        help="put `{{ reply.format }}` into it, on a line of its own at the end",
        severity=Severity.WARNING,
    )


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
