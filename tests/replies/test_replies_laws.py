"""Laws of generated formats: the fast reader and the grammar agree; reading what was rendered gives the value back."""

from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reply_strategies import DISK, check_agreement, mutate, notations
from type_strategies import types, values

from maker_dsl.errors import InternalError
from maker_dsl.replies.format import GeneratedFormat, reply_format
from maker_dsl.replies.sampling import perturb
from maker_dsl.task import Parsed
from maker_dsl.types.codec import codec
from maker_dsl.types.errors import ValueRefused

SLOW = settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)


@SLOW
@given(st.data())
def test_a_rendered_value_reads_back(data: st.DataObject) -> None:
    notation, place = data.draw(notations())
    format = reply_format(notation, place)
    assert isinstance(format, GeneratedFormat)
    value = data.draw(values(format.type).filter(lambda v: _fits(format, v)))
    text = format.render(value)
    read = format.read(text)
    assert isinstance(read, Parsed), (format.grammar, text, read)
    assert repr(read.value) == repr(format._codec.validate(value))
    check_agreement(format, text)


def _fits(format: GeneratedFormat, value: object) -> bool:
    try:
        format.render(value)  # type: ignore[arg-type]
    except ValueRefused:
        return False
    return True


@SLOW
@given(st.data())
def test_fast_reader_and_grammar_agree_on_mutated_replies(data: st.DataObject) -> None:
    notation, place = data.draw(notations())
    format = reply_format(notation, place)
    assert isinstance(format, GeneratedFormat)
    value = data.draw(values(format.type).filter(lambda v: _fits(format, v)))
    text = format.render(value)
    source = random.Random(data.draw(st.integers(0, 2**32)))
    for _ in range(8):
        check_agreement(format, mutate(text, source))


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_a_perturbed_value_is_of_its_type(data: st.DataObject) -> None:
    type = data.draw(types)
    made = codec(type)
    value = made.validate(data.draw(values(type)))
    source = random.Random(data.draw(st.integers(0, 2**32)))
    made.validate(perturb(type, value, source))


@SLOW
@given(st.data())
def test_the_example_is_a_reply(data: st.DataObject) -> None:
    notation, place = data.draw(notations())
    format = reply_format(notation, place)
    assert isinstance(format.read(format.example), Parsed), format.example
    assert format.instructions


@settings(max_examples=200, deadline=None)
@given(st.text(), st.data())
def test_no_text_makes_reading_fail(text: str, data: st.DataObject) -> None:
    notation, place = data.draw(notations())
    reply_format(notation, place).read(text)


def test_disagreement_is_our_bug(monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    from maker_dsl.replies.notation import FormatText, HoleSpec

    format = reply_format(FormatText(("disk ", HoleSpec("disk", DISK))))
    assert isinstance(format, GeneratedFormat)
    monkeypatch.setattr(format, "_machinery", replace(format._machinery, fast=lambda text, start, end: None))
    with pytest.raises(InternalError):
        format.read("disk 1")
