"""Reply formats for tests: strategies for formats and texts near their replies, and what must hold of every reading."""

from __future__ import annotations

import random

from hypothesis import strategies as st
from type_strategies import types

from maker_dsl.replies.checks import check_notation
from maker_dsl.replies.format import GeneratedFormat
from maker_dsl.replies.notation import FormatText, HoleSpec, JsonObject, Notation, Place
from maker_dsl.task import Parsed
from maker_dsl.types.type import IntType, Member, OptionalType, RecordType, StringType, TupleType, Type

DISK = IntType(1, 3, alias="Disk")
PEG = IntType(0, 2, alias="Peg")
MOVE = TupleType((Member("disk", DISK), Member("source", PEG), Member("target", PEG)), alias="Move")

_separators = st.sampled_from(["\n", "\n\n", " ", ", ", " -> ", "; note ", "\nnote: ", "\n- ", " | ", "/", "\nx = "])
_leads = st.sampled_from(["move = ", "", "Answer:", "next ", "<<", "[", "- ", "a\nb: ", "é=", "let x be "])
_ends = st.sampled_from(["", "", ".", " end", "\nEND", ">>", "]"])
_hole_types = st.one_of(types, st.sampled_from([StringType(raw="line"), StringType(raw="text"), MOVE, DISK]))

places = st.sampled_from([Place("end"), Place("end"), Place("whole"), Place("fenced"), Place("tag", "answer")])


@st.composite
def format_texts(draw: st.DrawFn) -> FormatText:
    """Format texts of one to three holes; not all are good."""
    pieces: list[str | HoleSpec] = [draw(_leads)]
    for index in range(draw(st.integers(1, 3))):
        if index:
            pieces.append(draw(_separators))
        type = draw(_hole_types)
        if isinstance(type, OptionalType) and isinstance(type.inner, StringType) and type.inner.raw:
            type = type.inner
        pieces.append(HoleSpec(f"hole{index}", type))
    pieces.append(draw(_ends))
    return FormatText(tuple(piece for piece in pieces if piece != ""))


objects = (
    st.lists(
        st.tuples(st.sampled_from(["move", "pegs", "a", "b"]), types), min_size=1, max_size=3, unique_by=lambda p: p[0]
    )
    .map(lambda pairs: RecordType(tuple(Member(name, type) for name, type in pairs)))
    .map(JsonObject)
)


@st.composite
def notations(draw: st.DrawFn) -> tuple[Notation, Place]:
    """Notations without problems, each with a place."""
    place = draw(places)
    notation: Notation = draw(st.one_of(format_texts(), objects).filter(lambda n: not check_notation(n, place)))
    return notation, place


_FRAGMENTS = ["\n", " ", "\t", "\r\n", "```", "<answer>", "</answer>", "null", "true", "-0", "01", "1.0", "1e5", "0.50",
              '"', "\\u0041", "\\ud800", "[", "]", "{", "}", ",", ":", "[[", '{"a": 1, "a": 2}', "move = ", "é", "END",
              "\x00", "NaN", "Infinity", "9" * 30, "2026-02-30", "\u2028", "\ud800", "😀"]  # fmt: skip


def mutate(text: str, source: random.Random) -> str:
    """A text near a reply: a few edits anywhere."""
    for _ in range(source.randrange(1, 4)):
        at = source.randrange(len(text) + 1)
        kind = source.randrange(5)
        if kind == 0:
            text = text[:at] + source.choice(_FRAGMENTS) + text[at:]
        elif kind == 1:
            text = text[:at] + text[at + source.randrange(1, 4) :]
        elif kind == 2 and text:
            other = source.randrange(len(text))
            low, high = min(at, other), max(at, other)
            text = text[:low] + text[high:] if source.random() < 0.3 else text[:high] + text[low:]
        elif kind == 3:
            text = text[:at] + source.choice([" ", "\t", "\n", "\r\n"]) + text[at:]
        else:
            text = (
                text[:at]
                + chr(source.choice([48, 49, 50, 34, 44, 91, 93, 123, 125, 45, 46, 10, 32, 97, 101]))
                + text[at + 1 :]
            )
    return text


def check_agreement(format: GeneratedFormat, text: str) -> None:
    """`read` raises `InternalError` where only the grammar accepts; here the other way, and the value."""
    read = format.read(text)
    if isinstance(read, Parsed):
        meant = format.read_by_grammar(text, read.start, read.end)
        assert isinstance(meant, Parsed), (format.grammar, text, meant)
        assert repr(meant.value) == repr(read.value), (format.grammar, text)


def text(*pieces: str | tuple[str, Type]) -> FormatText:
    """A format text of literal pieces and holes, each a name and a type."""
    return FormatText(tuple(piece if isinstance(piece, str) else HoleSpec(*piece) for piece in pieces))
