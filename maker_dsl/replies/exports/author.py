"""From a grammar that an author wrote to its form.

Lark splits a text into terminals first, the longest at each place; a form has no such step. So a form admits all that
the grammar reads, and some texts beyond, where terminals could be split otherwise. Between terminals an export has one
blank where the grammar ignores blanks, and must have it where two terminals would run into one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from lark import Lark
from lark.grammar import Symbol

from maker_dsl.replies.author_grammar import author_parser
from maker_dsl.replies.exports.author_terminals import beginning, ends_a_word, going_on, terminal_form
from maker_dsl.replies.exports.form import (
    EMPTY,
    Form,
    Named,
    Node,
    Text,
    characters,
    common,
    factored,
    optional,
    repeat,
    sequence,
)
from maker_dsl.replies.exports.lowering import placed_form
from maker_dsl.replies.notation import LarkGrammar, Place

_LEFT = (
    "the parser takes the longest word at each place and reads the fields by their types; it may refuse what is here"
)
_BEGINNINGS = (" ", "\n", "\t")
_WORD = characters("09", "AZ", "_", "az").ranges
_TAKEN = frozenset({"start", "root", "reply"})


def author_form(notation: LarkGrammar, place: Place) -> Form:
    """The form of an author's grammar; raises `Unwritable`."""
    parser = author_parser(notation.text)
    converter = _Converter(parser)
    start = converter.named_or_written("start")
    return Form(placed_form(start, place), converter.rules, (_LEFT,))


@dataclass(frozen=True, slots=True)
class _Ends:
    """The terminals that a rule can begin or end with."""

    first: frozenset[str]
    last: frozenset[str]
    may_be_empty: bool


_Body = tuple[Symbol, ...]


class _Converter:
    """Collects the rules of a form, beginning with the grammar's own."""

    def __init__(self, parser: Lark) -> None:
        self._bodies: dict[str, list[_Body]] = {}
        for rule in parser.rules:
            self._bodies.setdefault(str(rule.origin.name), []).append(tuple(rule.expansion))
        self._terminals = {terminal.name: terminal_form(terminal) for terminal in parser.terminals}
        self._whole_words = {one.name for one in parser.terminals if ends_a_word(one)}
        self._ends = _ends(self._bodies)
        self._blank = _blank([self._terminals[name] for name in parser.ignore_tokens if name in self._terminals])
        self._names: dict[str, str] = {}
        self.rules: dict[str, Node] = {}

    def named_or_written(self, rule: str) -> Node:
        """A rule by its name; one that Lark made for a repetition, and a start that nothing names, written out."""
        if rule.startswith("__") or (rule == "start" and not self._is_used(rule)):
            return self._rule(rule)
        return self._named(rule, lambda: self._rule(rule))

    def _is_used(self, rule: str) -> bool:
        return any(symbol.name == rule for bodies in self._bodies.values() for body in bodies for symbol in body)

    def _named(self, key: str, make: Callable[[], Node]) -> Node:
        if key not in self._names:
            stem = "word" if key.startswith("__") else key.strip("_").lower() or "part"
            stem = f"the_{stem}" if stem in _TAKEN or not stem[0].isalpha() else stem
            unique, count = stem, 1
            while unique in self.rules:
                count += 1
                unique = f"{stem}_{count}"
            self._names[key] = unique
            self.rules[unique] = EMPTY
            self.rules[unique] = make()
        return Named(self._names[key])

    def _symbol(self, symbol: Symbol) -> Node:
        name = str(symbol.name)
        if not symbol.is_term:
            return self.named_or_written(name)
        form = self._terminals[name]
        if isinstance(form, Text):
            return form
        return self._named(name, lambda: form)

    def _rule(self, rule: str) -> Node:
        """The rule's alternatives; one that begins with the rule itself becomes a repetition."""
        bodies = self._bodies[rule]
        begun = factored([self._row(body) for body in bodies if not _begins(body, rule)])
        more = [body for body in bodies if _begins(body, rule) and len(body) > 1]
        if not more:
            return begun
        steps = factored([sequence(self._gap(body[0], body[1]), self._row(body[1:])) for body in more])
        return repeat(begun, 1, None) if steps == begun else sequence(begun, repeat(steps, 0, None))

    def _row(self, body: _Body) -> Node:
        parts: list[Node] = []
        before: Symbol | None = None
        for symbol in body:
            if before is not None:
                parts.append(self._gap(before, symbol))
            parts.append(self._symbol(symbol))
            before = symbol
        return sequence(*parts)

    def _gap(self, before: Symbol, after: Symbol) -> Node:
        if self._blank is None:
            return EMPTY
        if self._run_together(self._last(before), self._first(after)):
            return self._blank
        return optional(self._blank)

    def _first(self, symbol: Symbol) -> Iterable[str]:
        return [str(symbol.name)] if symbol.is_term else self._ends[str(symbol.name)].first

    def _last(self, symbol: Symbol) -> Iterable[str]:
        return [str(symbol.name)] if symbol.is_term else self._ends[str(symbol.name)].last

    def _run_together(self, before: Iterable[str], after: Iterable[str]) -> bool:
        """Whether terminals that follow each other without a blank are sure to be taken for one."""
        beginnings = [beginning(self._terminals[name]) for name in after]
        tails = [_WORD if name in self._whole_words else going_on(self._terminals[name]) for name in before]
        pairs = [(start, tail) for start in beginnings for tail in tails]
        return bool(pairs) and all(start and common(start, tail) == start for start, tail in pairs)


def _begins(body: _Body, rule: str) -> bool:
    return bool(body) and not body[0].is_term and body[0].name == rule


def _ends(bodies: dict[str, list[_Body]]) -> dict[str, _Ends]:
    """What each rule can begin and end with, by going on until nothing is added."""
    ends = {rule: _Ends(frozenset(), frozenset(), False) for rule in bodies}
    while True:
        found = {
            rule: _Ends(
                frozenset().union(*(_reach(body, ends, "first") for body in options)),
                frozenset().union(*(_reach(body[::-1], ends, "last") for body in options)),
                any(all(not one.is_term and ends[str(one.name)].may_be_empty for one in body) for body in options),
            )
            for rule, options in bodies.items()
        }
        if found == ends:
            return ends
        ends = found


def _reach(body: _Body, ends: dict[str, _Ends], side: str) -> frozenset[str]:
    reached: frozenset[str] = frozenset()
    for symbol in body:
        name = str(symbol.name)
        if symbol.is_term:
            return reached | {name}
        reached |= ends[name].first if side == "first" else ends[name].last
        if not ends[name].may_be_empty:
            return reached
    return reached


def _blank(ignored: list[Node]) -> Node | None:
    """The one character that stands for all that is ignored: a blank, else a line break, else a tab."""
    for character in _BEGINNINGS:
        code = ((ord(character),) * 2,)
        if any(common(beginning(node), code) for node in ignored):
            return Text(character)
    return None
