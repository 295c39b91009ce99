"""A form as llguidance's dialect of Lark.

Its terminals are matched as long as they go and never given back; within a terminal every way is tried. So a form
is one terminal, made of others, unless one of its rules holds itself.
"""

from __future__ import annotations

import json

from maker_dsl.replies.exports.as_lark import as_lark
from maker_dsl.replies.exports.form import (
    Characters,
    Choice,
    Form,
    Named,
    Node,
    Repeat,
    Sequence,
    Text,
    recursive_rules,
)
from maker_dsl.replies.exports.regexes import regex, times
from maker_dsl.replies.grammar import slashed


def as_llguidance(form: Form) -> str:
    """The grammar's text."""
    if recursive_rules(form):
        return as_lark(form)
    rules = {"REPLY": form.start} | {name.upper(): node for name, node in form.rules.items()}
    width = max(map(len, rules))
    lines = [f"// {sentence}" for sentence in form.left_to_reading]
    lines.append(f"{'start':{width}} : REPLY")
    lines += [f"{name:{width}} : {_write(node)}" for name, node in rules.items()]
    return "\n".join(lines) + "\n"


def _write(node: Node) -> str:
    match node:
        case Text(text):
            return _quoted(text)
        case Characters():
            return slashed(regex(node, {}))
        case Sequence(()):
            return '""'
        case Sequence(parts):
            return " ".join(_unit(part) if isinstance(part, Choice) else _write(part) for part in parts)
        case Choice(options):
            return " | ".join(map(_write, options))
        case Repeat(part, low, high):
            return _unit(part) + times(low, high)
        case Named(name):
            return name.upper()


def _unit(part: Node) -> str:
    return _write(part) if isinstance(part, Text | Characters | Named) else f"({_write(part)})"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
