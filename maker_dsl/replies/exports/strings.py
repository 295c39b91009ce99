"""Strings in quotes, and raw lines and texts that can't be taken for what comes after them."""

from __future__ import annotations

from dataclasses import dataclass

from maker_dsl.replies.exports.form import (
    NOTHING,
    SURROGATES,
    Characters,
    Choice,
    Node,
    Ranges,
    Repeat,
    Sequence,
    Text,
    characters,
    choice,
    common,
    inverse,
    optional,
    repeat,
    sequence,
    union,
    without,
)
from maker_dsl.types import pattern_syntax
from maker_dsl.types.patterns import pattern

_CONTROLS: Ranges = ((0, 31),)
_SHORT = {8: "b", 9: "t", 10: "n", 12: "f", 13: "r", 34: '"', 92: "\\"}
_HEXADECIMAL = characters("09", "AF", "af")
_UNICODE_ESCAPE = sequence(
    Text("u"),
    choice(
        sequence(characters("09", "AC", "EF", "ac", "ef"), repeat(_HEXADECIMAL, 3, 3)),
        sequence(characters("D", "d"), characters("07"), repeat(_HEXADECIMAL, 2, 2)),
    ),
)
_ESCAPE = sequence(Text("\\"), choice(characters('"', "/", "\\", "b", "f", "n", "r", "t"), _UNICODE_ESCAPE))
_BLANK = characters("\t", " ")
_BLANKS = repeat(_BLANK, 0, None)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a value must not hold for the reply to be found: the tag around it, or words that begin a line."""

    tag: str | None = None
    line_starts: tuple[str, ...] = ()

    @property
    def openers(self) -> Ranges:
        """What may not come after a `<`."""
        if self.tag is None:
            return ()
        return union(*(((ord(one),) * 2,) for one in ("/", "<", self.tag[0])))


def json_character(around: Surroundings) -> Node:
    """One character of a JSON string, or its escape; in a tag, a `<` that could begin the tag is escaped."""
    if not around.openers:
        return choice(without(_CONTROLS, ((34, 34), (92, 92))), _ESCAPE)
    return choice(without(_CONTROLS, ((34, 34), (92, 92), (60, 60))), _ESCAPE)


def json_string(max_length: int | None, around: Surroundings) -> Node:
    """A JSON string of at most so many characters."""
    one = json_character(around)
    if around.openers and max_length is None:
        after = choice(without(_CONTROLS, ((34, 34), (92, 92)), around.openers), _ESCAPE)
        one = choice(one, sequence(Text("<"), after))
    return sequence(Text('"'), repeat(one, 0, max_length), Text('"'))


def matching_string(regex: str, around: Surroundings) -> Node:
    """A JSON string whose text a pattern matches; what JSON can hold as it is stands as it is."""
    return sequence(Text('"'), _in_json(from_pattern(pattern(regex).node), around), Text('"'))


def longest_match(node: Node) -> int | None:
    """The most characters that a node without names can have; None where there is no end."""
    match node:
        case Text(text):
            return len(text)
        case Characters():
            return 1
        case Sequence(parts):
            lengths = [longest_match(part) for part in parts]
            return None if None in lengths else sum(length or 0 for length in lengths)
        case Choice(options):
            lengths = [longest_match(option) for option in options]
            return None if None in lengths else max((length or 0 for length in lengths), default=0)
        case Repeat(part, _, high):
            length = longest_match(part)
            return 0 if length == 0 else None if length is None or high is None else length * high
        case _:
            return None


def from_pattern(node: pattern_syntax.Node) -> Node:
    """The form of what a pattern matches."""
    match node:
        case pattern_syntax.Characters(((low, high),)) if low == high:
            return Text(chr(low))
        case pattern_syntax.Characters(ranges):
            return Characters(common(ranges, inverse((SURROGATES,))))
        case pattern_syntax.Sequence(parts):
            return sequence(*map(from_pattern, parts))
        case pattern_syntax.Choice(options):
            return choice(*map(from_pattern, options))
        case pattern_syntax.Repeat(part, low, high):
            return repeat(from_pattern(part), low, high)


def _in_json(node: Node, around: Surroundings) -> Node:
    match node:
        case Text(text):
            return sequence(*(_character_in_json(((ord(one),) * 2,), around) for one in text))
        case Characters(ranges):
            return _character_in_json(ranges, around)
        case Sequence(parts):
            return sequence(*(_in_json(part, around) for part in parts))
        case Choice(options):
            return choice(*(_in_json(option, around) for option in options))
        case Repeat(part, low, high):
            return repeat(_in_json(part, around), low, high)
        case _:
            return node


def _character_in_json(ranges: Ranges, around: Surroundings) -> Node:
    special = union(_CONTROLS, ((34, 34), (92, 92)), ((60, 60),) if around.openers else ())
    plain = common(ranges, inverse(special))
    options: list[Node] = []
    if plain:
        single = len(plain) == 1 and plain[0][0] == plain[0][1]
        options.append(Text(chr(plain[0][0])) if single else Characters(plain))
    for code in (code for low, high in common(ranges, special) for code in range(low, high + 1)):
        options.append(Text(f"\\{_SHORT[code]}" if code in _SHORT else f"\\u{code:04x}"))
    return choice(*options)


def line(around: Surroundings) -> Node:
    """A raw line: not empty, no blanks at its ends, nothing at its start that begins another line of the reply."""
    return _content(_in_line(around), around.line_starts)


def lines(around: Surroundings, *, first_is_free: bool) -> Node:
    """A raw text: lines of which the first and the last are not empty; `first_is_free` if it begins within a line."""
    inside = _in_line(around)
    first = _content(inside, () if first_is_free else around.line_starts)
    gap = sequence(_BLANKS, repeat(sequence(Text("\n"), _BLANKS), 1, None))
    return sequence(first, repeat(sequence(gap, _content(inside, around.line_starts)), 0, None))


@dataclass(frozen=True, slots=True)
class _Line:
    """What a line is made of: characters that may end it, and whole steps through it."""

    ends: Ranges
    """Characters that it may begin and end with."""
    step: Node
    """Any one step through its inside."""
    end: Node
    """A step that ends it."""


def _in_line(around: Surroundings) -> _Line:
    breaks: Ranges = ((10, 10), (13, 13))
    blanks: Ranges = ((9, 9), (32, 32))
    if not around.openers:
        ends = inverse(union(breaks, blanks))
        return _Line(ends, without(breaks), Characters(ends))
    ends = inverse(union(breaks, blanks, ((60, 60),)))
    after_any = inverse(union(breaks, around.openers))
    after_end = inverse(union(breaks, blanks, around.openers))
    return _Line(
        ends,
        choice(without(breaks, ((60, 60),)), sequence(Text("<"), Characters(after_any))),
        choice(Characters(ends), sequence(Text("<"), Characters(after_end))),
    )


def _content(line: _Line, forbidden: tuple[str, ...]) -> Node:
    """From the first to the last character of a line that is not a blank, beginning with no forbidden word."""
    to_end = sequence(repeat(line.step, 0, None), line.end)
    if not forbidden:
        return sequence(line.end, optional(to_end))
    return _otherwise(line, forbidden, to_end, is_first=True)


def _otherwise(line: _Line, words: tuple[str, ...], to_end: Node, *, is_first: bool) -> Node:
    """Content that goes on with none of the words; a word that has been read whole is an empty one."""
    if "" in words:
        return NOTHING
    firsts = union(*(((ord(word[0]),) * 2,) for word in words))
    other_ends = Characters(common(line.ends, inverse(firsts)))
    options: list[Node] = []
    for code in sorted({ord(word[0]) for word in words}):
        rest = tuple(word[1:] for word in words if ord(word[0]) == code)
        after = _otherwise(line, rest, to_end, is_first=False)
        if after != NOTHING:
            options.append(sequence(Text(chr(code)), after))
    options.append(sequence(other_ends, optional(to_end)))
    return choice(*options) if is_first else optional(choice(*options, sequence(_BLANK, to_end)))
