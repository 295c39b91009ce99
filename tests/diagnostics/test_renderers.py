"""How diagnostics look: as text, on one line, as JSON."""

from __future__ import annotations

import json

from maker_dsl.diagnostics import Diagnostic, Label, Severity, Source, Span
from maker_dsl.diagnostics import concise as as_line
from maker_dsl.diagnostics.as_json import as_json
from maker_dsl.diagnostics.text import render, render_all


def label(source: Source, what: str, text: str = "") -> Label:
    start = source.text.index(what)
    return Label(Span(source, start, start + len(what)), text)


def lines(diagnostic: Diagnostic) -> list[str]:
    return render(diagnostic).splitlines()


def test_text_shows_place_line_carets_and_help() -> None:
    source = Source("a.maker", "task t {\n  last = pegz[0]\n}\n")
    found = Diagnostic(
        "MK201", "unknown name `pegz`", label(source, "pegz", "not declared"), help="did you mean `pegs`?"
    )
    assert render(found) == (
        "error[MK201]: unknown name `pegz`\n"
        "  --> a.maker:2:10\n"
        "  |\n"
        "2 |   last = pegz[0]\n"
        "  |          ^^^^ not declared\n"
        "  |\n"
        "  = help: did you mean `pegs`?\n"
    )


def test_secondary_labels_are_shown_on_their_lines_and_in_their_files() -> None:
    source = Source("a.maker", "\n" * 8 + "one\ntwo\nthree\nfour\nfive\n")
    other = Source("b.toml", "key = 1\n")
    found = Diagnostic(
        "MK251",
        "twice",
        label(source, "five", "again"),
        (label(source, "two", "first"), label(source, "four"), label(other, "key", "and here")),
    )
    assert lines(found) == [
        "error[MK251]: twice",
        "   --> a.maker:13:1",
        "   |",
        "10 | two",
        "   | --- first",
        "11 | three",
        "12 | four",
        "   | ----",
        "13 | five",
        "   | ^^^^ again",
        "   ::: b.toml:1:1",
        "   |",
        " 1 | key = 1",
        "   | --- and here",
    ]


def test_tabs_and_wide_characters_keep_the_carets_in_place() -> None:
    source = Source("a.maker", '\tabout "漢字" pegz')
    shown = lines(Diagnostic("MK201", "x", label(source, "pegz")))
    assert shown[3] == '1 |     about "漢字" pegz'
    # Two columns for each of the two wide characters.
    assert shown[4] == "  | " + " " * 17 + "^^^^"


def test_a_long_line_is_shown_around_the_carets() -> None:
    source = Source("a.maker", "x" * 500 + "BAD" + "y" * 500)
    row, carets = lines(Diagnostic("MK201", "x", label(source, "BAD")))[3:5]
    assert len(row) < 130
    assert row.index("BAD") == carets.index("^^^")


def test_a_very_long_span_is_cut() -> None:
    source = Source("a.maker", "x" * 10_000)
    assert max(len(line) for line in lines(Diagnostic("MK201", "x", label(source, source.text, "all")))) < 140


def test_a_span_over_several_lines_is_underlined_on_its_first() -> None:
    source = Source("a.maker", "step {\n}\n")
    assert lines(Diagnostic("MK201", "x", label(source, source.text, "this")))[3:] == ["1 | step {", "  | ^^^^^^ this"]


def test_the_end_of_the_file_has_a_caret() -> None:
    for text in ("", "task t {", "task t {\n"):
        source = Source("a.maker", text)
        span = Span(source, len(text), len(text) + 1)
        assert lines(Diagnostic("MK101", "x", Label(span)))[-1].endswith("^")


def test_what_would_disturb_a_terminal_is_made_visible() -> None:
    source = Source("a.maker\x1b[2J", "a\x1b[31m\x07\u202e b")
    text = render(Diagnostic("MK101", "bad \x1b[0m", label(source, "b", "\x1b"), help="\x1b"))
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "\x1b" not in as_line.render(Diagnostic("MK101", "bad \x1b", label(source, "b")))


def test_colour_is_only_added() -> None:
    import re

    source = Source("a.maker", "pegz")
    found = Diagnostic("MK201", "x", label(source, "pegz", "y"), help="z", severity=Severity.WARNING)
    coloured = render(found, colour=True)
    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == render(found)
    assert coloured.startswith("\x1b[1;33mwarning[MK201]")


def test_several_are_separated_by_an_empty_line() -> None:
    source = Source("a.maker", "pegz")
    found = Diagnostic("MK201", "x", label(source, "pegz"))
    assert render_all([found, found]) == render(found) + "\n" + render(found)
    assert render_all([]) == ""


def test_one_line() -> None:
    source = Source("a.maker", "\n  pegz")
    found = Diagnostic("MK201", "unknown", label(source, "pegz"), help="did you\nmean `pegs`?")
    assert as_line.render(found) == "a.maker:2:3: error MK201: unknown (help: did you mean `pegs`?)\n"


def test_json() -> None:
    source = Source("a.maker", "é\n  pegz\n")
    found = Diagnostic("MK201", "unknown", label(source, "pegz", "here"), (label(source, "é"),), "mend it")
    assert json.loads(json.dumps(as_json(found))) == {
        "code": "MK201",
        "severity": "error",
        "title": "unknown",
        "file": "a.maker",
        "line": 2,
        "column": 3,
        "end_line": 2,
        "end_column": 7,
        "label": "here",
        "help": "mend it",
        "secondary": [{"file": "a.maker", "line": 1, "column": 1, "end_line": 1, "end_column": 2, "label": ""}],
    }
