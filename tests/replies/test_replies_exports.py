"""Exports of a reply's form: they agree with each other and with both of our readers, on text after text."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice

import pytest
from exports_lab import AuthorExports, Exports, author_texts, texts
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reply_strategies import notations, text

from maker_dsl.bundled import bundled_names, bundled_path
from maker_dsl.language import load
from maker_dsl.replies.author_format import AuthorFormat
from maker_dsl.replies.exports.export import reply_form
from maker_dsl.replies.exports.form import Characters, Node, Repeat, Text, parts_of
from maker_dsl.replies.format import GeneratedFormat, reply_format
from maker_dsl.replies.notation import FormatText, HoleSpec, JsonObject, LarkGrammar, Notation, Place
from maker_dsl.task import TARGETS, NotExpressible, Parsed, ReplyFormat, Target
from maker_dsl.types.type import (
    IntType,
    ListType,
    MapType,
    Member,
    OptionalType,
    RecordType,
    StringType,
    Type,
)

SLOW = settings(deadline=None, suppress_health_check=list(HealthCheck))
LIBRARY = [name for name in bundled_names("grammars") if name != "maker"]


def replies_of(name: str) -> dict[str, ReplyFormat]:
    """The reply formats of a bundled file's steps, over the default inputs and those of its tests."""
    checked = load(name)
    formats = {}
    for program in checked.programs:
        if program.source is checked.source:
            tasks = [test.task for test in program.tests]
            for task in tasks or [program.bind({})]:
                formats.update({f"{program.name}.{step.name}": step.reply for step in task.steps})
    return formats


def check_many(reply: ReplyFormat, count: int, seed: int = 0) -> None:
    source = random.Random(seed)
    if isinstance(reply, GeneratedFormat):
        exports = Exports(reply)
        for one in islice(texts(exports, source), count):
            exports.check(one)
        assert exports.accepted > count // 4
        return
    assert isinstance(reply, AuthorFormat)
    by_author = AuthorExports(reply)
    for one in islice(author_texts(by_author, source, (reply.example,)), count):
        by_author.check(one)
    assert by_author.accepted > count // 8
    assert by_author.read > count // 8


@pytest.mark.parametrize("name", bundled_names("tasks"))
def test_exports_and_readers_agree_on_texts_of_each_bundled_task(name: str) -> None:
    for reply in replies_of(name).values():
        check_many(reply, 150)


@pytest.mark.long
@pytest.mark.parametrize("name", bundled_names("tasks"))
def test_exports_and_readers_agree_on_ten_thousand_texts_of_each_bundled_task(name: str) -> None:
    replies = replies_of(name)
    for reply in replies.values():
        check_many(reply, -(-10_000 // len(replies)), seed=1)


@pytest.mark.parametrize("name", bundled_names("tasks"))
@pytest.mark.parametrize("target", TARGETS)
def test_every_step_of_every_bundled_task_has_every_export_or_says_why_not(name: str, target: Target) -> None:
    for reply in replies_of(name).values():
        if target == "json-schema" and "$schema" not in _exported(reply, target):
            assert {"llguidance", "gbnf"} <= set(_refusal(reply, target).others)
        elif target != "json-schema":
            assert reply.export(target)


def _exported(reply: ReplyFormat, target: Target) -> str:
    with suppress(NotExpressible):
        return reply.export(target)
    return ""


def _refusal(reply: ReplyFormat, target: Target) -> NotExpressible:
    with pytest.raises(NotExpressible) as caught:
        reply.export(target)
    return caught.value


@settings(SLOW, max_examples=40)
@given(st.data())
def test_exports_and_readers_agree_on_formats_at_random(data: st.DataObject) -> None:
    check_at_random(data, 15)


@pytest.mark.long
@settings(SLOW, max_examples=200)
@given(st.data())
def test_exports_and_readers_agree_on_many_formats_at_random(data: st.DataObject) -> None:
    check_at_random(data, 40)


def check_at_random(data: st.DataObject, count: int) -> None:
    notation, place = data.draw(notations())
    format = reply_format(notation, place)
    assert isinstance(format, GeneratedFormat)
    exports = Exports(format)
    for one in islice(texts(exports, random.Random(data.draw(st.integers(0, 2**32)))), count):
        exports.check(one)


def test_a_disagreement_is_noticed() -> None:
    exports = Exports(made(text("disk ", ("disk", IntType(1, 3)))))
    exports.check("disk 3")
    for target in exports.recognisers:
        kept = exports.recognisers[target]
        exports.recognisers[target] = lambda one: one == "disk 4"
        with pytest.raises(AssertionError):
            exports.check("disk 3")
        exports.recognisers[target] = kept
    for target in exports.recognisers:
        exports.recognisers[target] = lambda one: True
    with pytest.raises(AssertionError):
        exports.check("disk 4")
    for target in exports.recognisers:
        exports.recognisers[target] = lambda one: False
    with pytest.raises(AssertionError):
        exports.check("disk  3".replace("  ", " "))


def made(notation: Notation, place: Place | None = None) -> GeneratedFormat:
    format = reply_format(notation, place or Place("end"))
    assert isinstance(format, GeneratedFormat)
    return format


def one(type: Type) -> JsonObject:
    return JsonObject(RecordType((Member("value", type),)))


GRAMMARS = {
    "moves": (
        'start: "move" disk "from" PEG ("to" target)+ ("because" why)? "."?\ndisk: /[0-9]+/\nPEG: /[abc]/\n'
        "target: INT\nwhy: /[a-z ]+/\n%import common.INT\n%import common.WS\n%ignore WS",
        "move 2 from b to 1 to 22 because so",
    ),
    "nested": ('start: value\nvalue: nest\nnest: "(" nest ")" | "x"', "((x))"),
    "lines": ('start: ("-" value NL)+\nvalue: /[a-z]+/\nNL: /\\n/', "-a\n-b"),
    "sums": (
        'start: "let"i expr\nexpr: expr "+" term | term\nterm: NUMBER | "(" expr ")"\n'
        '%import common.INT -> NUMBER\n%ignore " "',
        "Let 1 + (2 + 3)",
    ),
    "run together": ('start: "x" a+\na: /[0-9]+/\n%ignore " "', "x 1 22 3"),
    "counted": ('start: "x" value ~ 3..12\nvalue: /a/', "xaaaa"),
    "empty rows": ('start: row*\nrow: INT ("," INT)* "\\n"\n%import common.INT', "1,2\n3\n"),
}


@pytest.mark.parametrize("name", GRAMMARS)
def test_exports_of_a_grammar_admit_what_it_reads(name: str) -> None:
    grammar, example = GRAMMARS[name]
    exports = check_author(grammar, example, 300)
    assert any(exports.recognisers["llguidance"](example + end) for end in ("", "\n"))


@pytest.mark.long
@pytest.mark.parametrize("name", LIBRARY)
def test_exports_of_the_bundled_grammars_admit_what_they_read(name: str) -> None:
    path = bundled_path("grammars", name)
    assert path is not None
    check_author(path.read_text(encoding="utf-8"), None, 80)


def check_author(grammar: str, example: str | None, count: int) -> AuthorExports:
    reply = reply_format(LarkGrammar(grammar, RecordType(())), Place("whole"))
    assert isinstance(reply, AuthorFormat)
    exports = AuthorExports(reply)
    examples = (example,) if example is not None else (reply.example,) if reply.example else ()
    for example in examples:
        assert isinstance(reply.read(example), Parsed)
    for one in islice(author_texts(exports, random.Random(0), examples), count):
        exports.check(one)
    assert exports.read > count // 8
    return exports


def blanks_without_end(node: Node) -> Iterator[Node]:
    if isinstance(node, Repeat) and node.high is None:
        part = node.part
        only = part.text if isinstance(part, Text) else ""
        if isinstance(part, Characters):
            only = "".join(chr(code) for low, high in part.ranges for code in range(low, min(high, low + 5) + 1))
        if only and not only.strip(" \t\r\n"):
            yield node
    for part in parts_of(node):
        yield from blanks_without_end(part)


@settings(SLOW, max_examples=100)
@given(st.data())
def test_white_space_has_an_end(data: st.DataObject) -> None:
    notation, place = data.draw(notations())
    form = reply_form(notation, place)
    assert not [found for node in (form.start, *form.rules.values()) for found in blanks_without_end(node)]


NESTED = LarkGrammar('start: "(" start ")" | "x"', RecordType(()))
CIRCLE = LarkGrammar('start: a\na: b "x" | "y"\nb: a "z"', RecordType(()))
FLAG = LarkGrammar("start: A\nA: /(?i:a)b/", RecordType(()))
LONG = one(StringType(max_length=5_000))
MANY = one(ListType(StringType(max_length=800), 0, 900))
AROUND_JSON = "the reply stands in a fenced block, and a schema knows nothing of what is around JSON"
AROUND = "the grammar is of what stands in a fenced block, not of what is around it"
CIRCLES = "`a` begins with itself through other rules, which readers of GBNF refuse"
TOO_LARGE = "it counts higher than RE2 can, which is 1,000 in all"
HOLE = text("a ", ("x", IntType()))
REFUSALS: list[tuple[Notation, str, Target, str, str]] = [
    (HOLE, "end", "json-schema", "the reply is not a JSON object", "lark, llguidance, gbnf, regex"),
    (one(IntType()), "fenced", "json-schema", AROUND_JSON, "lark, llguidance, gbnf, regex"),
    (NESTED, "whole", "regex", "a regex has no rules, and `the_start` holds itself", "lark, llguidance, gbnf"),
    (NESTED, "fenced", "lark", AROUND, "llguidance, gbnf"),
    (LONG, "end", "gbnf", "it counts to 5,000, and llama.cpp counts to 2,000", "lark, llguidance, json-schema"),
    (MANY, "end", "regex", TOO_LARGE, "lark, llguidance, gbnf, json-schema"),
    (CIRCLE, "whole", "gbnf", CIRCLES, "lark, llguidance"),
    (FLAG, "whole", "gbnf", "`/(?i:a)b/`: only plain groups `( … )` and `(?: … )` are available", "lark"),
]


@pytest.mark.parametrize(("notation", "place", "target", "why", "others"), REFUSALS)
def test_what_cannot_be_expressed_is_said(
    notation: Notation, place: str, target: Target, why: str, others: str
) -> None:
    refusal = _refusal(reply_format(notation, Place(place)), target)  # type: ignore[arg-type]
    assert str(refusal) == f"{target} can't express this reply: {why}; {others} can"


def test_what_is_left_to_reading_is_said_in_the_export() -> None:
    exported = made(one(MapType(IntType()))).export("gbnf")
    assert exported.startswith("# a key of `value` may occur twice here\n")
    both = made(one(StringType(pattern="[a-z]+", max_length=5))).export("llguidance")
    assert both.startswith("// `value` may be longer here than its 5 characters\n")
    assert "may be" not in made(one(StringType(pattern="[a-z]{1,5}", max_length=5))).export("llguidance")


def test_an_export_holds_the_place_of_the_reply() -> None:
    notation = text("a ", ("x", IntType(0, 1)))
    exports = {
        kind: made(notation, Place(kind, "out" if kind == "tag" else None)).export("regex")  # type: ignore[arg-type]
        for kind in ("end", "whole", "fenced", "tag")
    }
    assert exports["end"] == exports["whole"] == "^(?:a [01])$"
    assert exports["fenced"] == "^(?:```[a-z]{0,12}\\na [01]\\n```)$"
    assert exports["tag"] == "^(?:<out>\\n?a [01]\\n?</out>)$"


def test_a_text_holds_nothing_that_ends_it() -> None:
    line, free = StringType(raw="line"), StringType(raw="text")
    notation = FormatText(("note:\n", HoleSpec("note", free), "\nEND ", HoleSpec("who", line)))
    exports = Exports(made(notation))
    for accepted in (
        "note:\nsome\n\n  words\nEND x",
        "note:\nthe END\nEND x",
        "note:\na note:\nEND x",
        "note:\nE\nEN\nEND x",
    ):
        assert exports.check(accepted), accepted
    for refused in (
        "note:\nsome\nENDURE\nEND x",
        "note:\nsome\n  note: x\nEND x",
        "note:\n```\nEND x",
        "note:\n \nEND x",
    ):
        assert not exports.check(refused), refused


def test_optional_members_may_be_left_out_but_not_moved() -> None:
    members = (
        Member("a", OptionalType(IntType(0, 9))),
        Member("b", IntType(0, 9)),
        Member("c", OptionalType(IntType(0, 9))),
    )
    exports = Exports(made(JsonObject(RecordType(members))))
    for accepted in ('{"b": 1}', '{"a": 1, "b": 1}', '{"b":1,"c":null}', '{ "a":null , "b" : 1 , "c":1 }'):
        assert exports.check(accepted), accepted
    for refused in ('{"b": 1, "a": 1}', '{"a": 1}', '{"b": 1,}', '{"b":  1}', '{"b": 1, "b": 1}', "{}"):
        assert not exports.check(refused), refused
