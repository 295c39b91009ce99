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
_LESS: Ranges = ((60, 60),)

MAX_BLANKS = 40
"""Blanks in a row in a line or text: a model that may go on with them without end sometimes does."""
MAX_BREAKS = 3
"""Line breaks in a row in a text."""

_BLANKS = repeat(_BLANK, 0, MAX_BLANKS)


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
    return choice(without(_CONTROLS, ((34, 34), (92, 92)), _LESS), _ESCAPE)


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
    special = union(_CONTROLS, ((34, 34), (92, 92)), _LESS if around.openers else ())
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
    return _content(_words(around), around.line_starts)


def lines(around: Surroundings, *, first_is_free: bool) -> Node:
    """A raw text: lines of which the first and the last are not empty; `first_is_free` if it begins within a line."""
    words = _words(around)
    first = _content(words, () if first_is_free else around.line_starts)
    gap = sequence(_BLANKS, repeat(Text("\n"), 1, MAX_BREAKS), _BLANKS)
    return sequence(first, repeat(sequence(gap, _content(words, around.line_starts)), 0, None))


@dataclass(frozen=True, slots=True)
class _Words:
    """What a line is made of: characters that are not blank, and a bounded number of blanks between them."""

    begin: Ranges
    """Characters that it can begin with and go on from anyhow."""
    one: Node
    """The first of it that is not blank."""
    rest: Node
    """All after that."""


def _words(around: Surroundings) -> _Words:
    white: Ranges = ((9, 10), (13, 13), (32, 32))
    if not around.openers:
        begin = inverse(white)
        one: Node = Characters(begin)
        return _Words(begin, one, repeat(sequence(_BLANKS, one), 0, None))
    begin = inverse(union(white, _LESS))
    apart = repeat(sequence(Text("<"), repeat(_BLANK, 1, MAX_BLANKS)), 0, None)
    after = Characters(inverse(union(white, around.openers)))
    one = sequence(apart, choice(Characters(begin), sequence(Text("<"), after)))
    return _Words(begin, one, repeat(sequence(_BLANKS, one), 0, None))


def _content(words: _Words, forbidden: tuple[str, ...]) -> Node:
    """From the first to the last character of a line that is not a blank, beginning with nothing forbidden."""
    return _otherwise(words, forbidden, is_first=True) if forbidden else sequence(words.one, words.rest)


def _otherwise(words: _Words, forbidden: tuple[str, ...], *, is_first: bool) -> Node:
    """Content that goes on with nothing forbidden; what has been read whole is empty."""
    if "" in forbidden:
        return NOTHING
    firsts = union(*(((ord(one[0]),) * 2,) for one in forbidden))
    options: list[Node] = []
    for code in sorted({ord(one[0]) for one in forbidden}):
        further = tuple(one[1:] for one in forbidden if ord(one[0]) == code)
        options.append(sequence(Text(chr(code)), _otherwise(words, further, is_first=False)))
    options.append(sequence(Characters(common(words.begin, inverse(firsts))), words.rest))
    if is_first:
        return choice(*options)
    return optional(choice(*options, sequence(repeat(_BLANK, 1, MAX_BLANKS), words.one, words.rest)))
