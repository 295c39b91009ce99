"""A form as llguidance's dialect of Lark.

Its terminals are matched as long as they go and never given back; within a terminal every way is tried. So a form
is one terminal, made of others. Where a rule holds itself, the rules stay rules, and what names no other is a terminal.
"""

from __future__ import annotations

import json
from collections.abc import Set

from maker_dsl.replies.exports.form import (
    Characters,
    Choice,
    Form,
    Named,
    Node,
    Repeat,
    Sequence,
    Text,
    names_in,
    recursive_rules,
)
from maker_dsl.replies.exports.regexes import regex
from maker_dsl.replies.grammar import slashed
from maker_dsl.types.patterns import times

_GIVES_NOTHING_BACK = (
    "llguidance splits the text into words and gives nothing back: it may refuse what the parser reads"
)


def as_llguidance(form: Form) -> str:
    """The grammar's text."""
    holds_itself = bool(recursive_rules(form))
    rules = {"start" if holds_itself else "reply": form.start} | dict(form.rules)
    terminals = {name for name, node in rules.items() if not (holds_itself and any(names_in(node)))} - {"start"}
    written = {name.upper() if name in terminals else name: _write(node, terminals) for name, node in rules.items()}
    if not holds_itself:
        written = {"start": "REPLY"} | written
    width = max(map(len, written))
    said = (*form.left_to_reading, _GIVES_NOTHING_BACK) if holds_itself else form.left_to_reading
    comments = [f"// {sentence}" for sentence in said]
    return "\n".join([*comments, *(f"{name:{width}} : {body}" for name, body in written.items())]) + "\n"


def _write(node: Node, terminals: Set[str]) -> str:
    match node:
        case Text(text):
            return _quoted(text)
        case Characters():
            return slashed(regex(node, {}))
        case Sequence(()):
            return '""'
        case Sequence(parts):
            return " ".join(
                _unit(one, terminals) if isinstance(one, Choice) else _write(one, terminals) for one in parts
            )
        case Choice(options):
            return " | ".join(_write(option, terminals) for option in options)
        case Repeat(part, low, high):
            return _unit(part, terminals) + times(low, high)
        case Named(name):
            return name.upper() if name in terminals else name


def _unit(part: Node, terminals: Set[str]) -> str:
    written = _write(part, terminals)
    return written if isinstance(part, Text | Characters | Named) else f"({written})"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
