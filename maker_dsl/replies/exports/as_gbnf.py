"""A form as GBNF, which llama.cpp reads, and vLLM and SGLang for their EBNF: start rule `root`, no left recursion."""

from __future__ import annotations

from maker_dsl.replies.exports.form import (
    LAST,
    Characters,
    Choice,
    Form,
    Named,
    Node,
    Ranges,
    Repeat,
    Sequence,
    Text,
    Unwritable,
    begins_with_itself,
    inverse,
    parts_of,
)
from maker_dsl.types.patterns import times

MAX_COUNT = 2_000
"""How high a repetition counts: llama.cpp refuses higher counts."""


def as_gbnf(form: Form) -> str:
    """The grammar's text; raises `Unwritable`."""
    circle = begins_with_itself(form)
    if circle is not None:
        raise Unwritable(f"`{circle}` begins with itself through other rules, which readers of GBNF refuse")
    high = max(map(_highest, [form.start, *form.rules.values()]))
    if high > MAX_COUNT:
        raise Unwritable(f"it counts to {high:,}, and llama.cpp counts to {MAX_COUNT:,}")
    rules = {"root": form.start} | {_name(name): node for name, node in form.rules.items()}
    width = max(map(len, rules))
    lines = [f"# {sentence}" for sentence in form.left_to_reading]
    lines += [f"{name:{width}} ::= {_write(node)}" for name, node in rules.items()]
    return "\n".join(lines) + "\n"


def _highest(node: Node) -> int:
    inner = max(map(_highest, parts_of(node)), default=0)
    return max(inner, node.low, node.high or 0) if isinstance(node, Repeat) else inner


def _name(name: str) -> str:
    return name.replace("_", "-")


def _write(node: Node) -> str:
    match node:
        case Text(text):
            return '"' + "".join(_escaped(one, '"\\') for one in text) + '"'
        case Characters(ranges):
            return _class(ranges)
        case Sequence(()):
            return '""'
        case Sequence(parts):
            return " ".join(_unit(part) if isinstance(part, Choice) else _write(part) for part in parts)
        case Choice(options):
            return " | ".join(map(_write, options))
        case Repeat(part, low, high):
            return _unit(part) + times(low, high)
        case Named(name):
            return _name(name)


def _unit(part: Node) -> str:
    return _write(part) if isinstance(part, Text | Characters | Named) else f"({_write(part)})"


def _class(ranges: Ranges) -> str:
    excluded = inverse(ranges)
    if excluded and ranges[-1][1] == LAST:
        return f"[^{_members(excluded)}]"
    if not excluded:
        ranges = ((0, LAST),)
    return f"[{_members(ranges)}]"


def _members(ranges: Ranges) -> str:
    return "".join(
        _escaped(chr(low), "[]^-\\") + ("" if low == high else "-" + _escaped(chr(high), "[]^-\\"))
        for low, high in ranges
    )


def _escaped(character: str, special: str) -> str:
    """A character as all readers of GBNF take it: code points have four or eight digits."""
    short = {"\n": "\\n", "\t": "\\t", "\r": "\\r", "\\": "\\\\", '"': '\\"'}
    if character in short and (character not in '"' or '"' in special):
        return short[character]
    code = ord(character)
    if code > 0xFFFF and not character.isprintable():
        return f"\\U{code:08X}"
    return f"\\u{code:04X}" if character in special or not character.isprintable() else character
