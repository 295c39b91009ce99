"""Where in a model's text the reply stands.

Every rule here picks one place before anything is parsed: a reply that does not parse there is refused, and no other
place is tried. White space around the reply does not count.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from maker_dsl.replies.layout import Gap, Token
from maker_dsl.replies.notation import Place
from maker_dsl.replies.syntax import MAX_REPLY, WHITE, between
from maker_dsl.task import Refused


@dataclass(frozen=True, slots=True)
class Located:
    """The characters of the reply: `start` included, `end` excluded."""

    start: int
    end: int


Locate = Callable[[str], Located | Refused]
Opening = Callable[[str], int | Refused]
"""The offset at which a reply at the end of a text begins."""

_FENCE_LINE = re.compile(r"(?m)^[ \t]*+```(?P<info>[^`\n]*+)(?:\n|\Z)")
_CLOSING = re.compile(r"\n[ \t]*```\Z")


def locator(place: Place, opening: Opening) -> Locate:
    """The function that finds a reply; `opening` is asked only for a reply at the end."""
    match place.kind:
        case "whole":
            return whole
        case "fenced":
            return fenced
        case "tag":
            return in_tag(place.tag or "answer")
        case "end":
            return at_end(opening)


def whole(text: str) -> Located | Refused:
    """The whole text."""
    return _nonempty(text, 0, len(text), "the reply is empty")


def at_end(opening: Opening) -> Locate:
    """From where `opening` says to the end of the text, without the fence that closes around it."""

    def locate(text: str) -> Located | Refused:
        end = len(text.rstrip(WHITE))
        if not end:
            return Refused("locate", "the reply is empty", 0)
        if text.endswith("```", 0, end):
            end = _before_closing_fence(text, end)
        start = opening(text[:end])
        return start if isinstance(start, Refused) else Located(start, end)

    return locate


def _before_closing_fence(text: str, end: int) -> int:
    """Where the text ends if its last line closes a fence; `end` if that line closes nothing."""
    closing = _CLOSING.search(text, max(0, text.rfind("\n", 0, end)), end)
    if closing is None or _fences(text, end) % 2:
        return end
    return len(text[: closing.start()].rstrip(WHITE))


def _fences(text: str, end: int) -> int:
    """How many lines begin with ```."""
    count, at = 0, text.find("```", 0, end)
    while at >= 0:
        count += _begins_line(text, at)
        at = text.find("```", at + 3, end)
    return count


def fenced(text: str) -> Located | Refused:
    """What the last fenced block holds."""
    opened: re.Match[str] | None = None
    block: tuple[int, int] | None = None
    for line in _FENCE_LINE.finditer(text):
        if opened is None:
            opened = line
        elif not line["info"].strip():
            block = (opened.end(), line.start())
            opened = None
    if opened is not None:
        return Refused("locate", "the last fenced block is not closed", opened.start())
    if block is None:
        return Refused("locate", "there is no fenced block (between lines of ```)", None)
    return _nonempty(text, *block, "the last fenced block is empty")


def in_tag(tag: str) -> Locate:
    """What stands between the last `<tag>` and the `</tag>` after it."""
    opening, closing = f"<{tag}>", f"</{tag}>"

    def locate(text: str) -> Located | Refused:
        start = text.rfind(opening)
        if start < 0:
            return Refused("locate", f"there is no `{opening}`", None)
        end = text.find(closing, start)
        if end < 0:
            return Refused("locate", f"`{opening}` without its `{closing}`", start)
        return _nonempty(text, start + len(opening), end, f"there is nothing between `{opening}` and `{closing}`")

    return locate


def _nonempty(text: str, start: int, end: int, otherwise: str) -> Located | Refused:
    inner = text[start:end]
    stripped = inner.lstrip(WHITE)
    if not stripped:
        return Refused("locate", otherwise, start)
    start += len(inner) - len(stripped)
    return Located(start, start + len(stripped.rstrip(WHITE)))


def lead_regex(tokens: tuple[Token, ...]) -> str:
    """The regex of the fixed tokens that a format begins with."""
    return re.escape(tokens[0].text) + "".join(between(token.before) + re.escape(token.text) for token in tokens[1:])


def opening_tokens(tokens: tuple[Token, ...], *, spaced: bool) -> Opening:
    """The last line that begins with these tokens; `spaced` if a blank must follow them."""
    first = tokens[0].text
    after = r"(?!\w)" if spaced and tokens[-1].is_word else ""
    match = re.compile(lead_regex(tokens) + after).match
    shown = first + "".join(("" if t.before is Gap.NOTHING else " ") + t.text for t in tokens[1:])
    refused = Refused("locate", f"no line begins with `{shown}`", None)

    def opening(text: str) -> int | Refused:
        at = text.rfind(first)
        while at >= 0:
            if _begins_line(text, at) and match(text, at):
                return at
            at = text.rfind(first, 0, at + len(first) - 1)
        return refused

    return opening


def _begins_line(text: str, at: int) -> bool:
    """Whether only blanks stand before an offset on its line."""
    while at and text[at - 1] in " \t":
        at -= 1
    return not at or text[at - 1] == "\n"


def opening_literals(literals: frozenset[str]) -> Opening:
    """The last line that begins with one of these texts."""
    regex = "|".join(re.escape(text) for text in sorted(literals, key=lambda text: (-len(text), text)))
    lines = re.compile(rf"(?m)^[ \t]*+(?={regex})")
    shown = " or ".join(f"`{text.strip()}`" for text in sorted(literals))

    def opening(text: str) -> int | Refused:
        start = -1
        for line in lines.finditer(text):
            start = line.end()
        return start if start >= 0 else Refused("locate", f"no line begins with {shown}", None)

    return opening


def opening_lines(count: int) -> Opening:
    """The last `count` lines of the text: for a format that begins with a hole."""

    def opening(text: str) -> int | Refused:
        start = len(text)
        for _ in range(count):
            start = text.rfind("\n", 0, start)
            if start < 0:
                break
        line = text[start + 1 :]
        return start + 1 + len(line) - len(line.lstrip(WHITE))

    return opening


_BRACE = re.compile(r'"(?:[^"\\]|\\[\s\S])*+(?:"|\\?\Z)|[{}]')
"""A string (one that is never closed goes to the end, else looking for its end would be quadratic) or a brace."""
_DEPTH = {"{": 1, "}": -1}


def opening_object(text: str) -> int | Refused:
    """The last `{` at the start of a line that is not inside an object which began so."""
    start, at = -1, text.find("{")
    while at >= 0:
        if not _begins_line(text, at):
            at = text.find("{", at + 1)
            continue
        start, depth = at, 0
        for brace in _BRACE.finditer(text, start):
            depth += _DEPTH.get(brace[0], 0)
            if not depth:
                at = text.find("{", brace.end())
                break
        else:
            break
    return start if start >= 0 else Refused("locate", "no line begins with `{`", None)


def placed(text: str, place: Place) -> str:
    """A reply in its place."""
    match place.kind:
        case "fenced":
            return f"```\n{text}\n```"
        case "tag":
            return f"<{place.tag}>\n{text}\n</{place.tag}>"
        case _:
            return text


def too_long(text: str) -> Refused | None:
    """A refusal of a reply that is too long to look at."""
    if len(text) <= MAX_REPLY:
        return None
    return Refused("locate", f"the reply is longer than {MAX_REPLY:,} characters", MAX_REPLY)
