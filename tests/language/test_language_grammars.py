"""Tasks that take a grammar file, with fields of their own or with those that the file declares."""

from __future__ import annotations

from pathlib import Path

import pytest

from maker_dsl.diagnostics import Source
from maker_dsl.diagnostics.text import render_all
from maker_dsl.language import Checked, check_text, load
from maker_dsl.task import Parsed

GRAMMAR = """// Days with reasons.
//
// fields {
//   day: date
//   why: list[string] of ..3
// }
// form: a day, and why
// example: on 2026-11-23 because of rain
start: "on" day ("because" "of" why ("and" why)*)?
day: /[0-9-]+/
why: WORD | "(" why ")"
WORD: /[a-z]+/
%ignore " "
"""

TASK = """task t {{
  state {{ n: int = 3 }}
  done when n == 0
  step {{
    prompt "{{{{ n }}}} {{{{ reply.format }}}} {{{{ reply.example }}}}"
    reply grammar from {reply}
    update {{ n = {use} }}
  }}
}}
"""


def checked(folder: Path, grammar: str, reply: str = '"days"', use: str = "day(reply.day)") -> Checked:
    (folder / "days.lark").write_text(grammar, encoding="utf-8")
    (folder / "t.maker").write_text(TASK.format(reply=reply, use=use), encoding="utf-8")
    return load(folder / "t.maker")


def said(found: Checked, folder: Path) -> str:
    return render_all(found.diagnostics).replace(f"{folder}/", "")


@pytest.mark.parametrize("reply", ['"days"', '"days.lark"', '"days" whole', '"days" in tag "answer"'])
def test_the_fields_of_the_file_stand_for_braces(tmp_path: Path, reply: str) -> None:
    found = checked(tmp_path, GRAMMAR, reply)
    assert found.diagnostics == ()
    assert found.program is not None
    (step,) = found.program.bind().steps
    assert str([member.name for member in step.reply.type.members]) == "['day', 'why']"
    read = step.reply.read(step.reply.example)
    assert isinstance(read, Parsed)
    assert read.value["why"] == ["rain"]


def test_the_bounds_of_the_file_hold(tmp_path: Path) -> None:
    found = checked(tmp_path, GRAMMAR)
    assert found.program is not None
    (step,) = found.program.bind().steps
    read = step.reply.read("on 2026-11-23 because of a and b and c and d")
    assert not isinstance(read, Parsed)
    assert read.stage == "type"


def test_a_match_within_a_match_of_the_same_field_does_not_count(tmp_path: Path) -> None:
    found = checked(tmp_path, GRAMMAR)
    assert found.program is not None
    (step,) = found.program.bind().steps
    read = step.reply.read("on 2026-11-23 because of ((rain)) and snow")
    assert isinstance(read, Parsed)
    assert read.value["why"] == ["((rain))", "snow"]


def test_braces_of_the_task_go_before_those_of_the_file(tmp_path: Path) -> None:
    found = checked(tmp_path, GRAMMAR, '"days" { day: date? }', "0 if reply.day == null else 1")
    assert found.diagnostics == ()
    assert found.program is not None
    (step,) = found.program.bind().steps
    assert [member.name for member in step.reply.type.members] == ["day"]


def test_the_run_keeps_the_grammar_with_its_fields(tmp_path: Path) -> None:
    found = checked(tmp_path, GRAMMAR)
    assert found.program is not None
    task = found.program.bind()
    assert "from" not in task.source_text
    kept = check_text(Source("kept.maker", task.source_text))
    assert kept.diagnostics == ()
    assert kept.program is not None
    again = kept.program.bind()
    assert again.source_text == task.source_text
    assert again.steps[0].reply.type == task.steps[0].reply.type


@pytest.mark.parametrize("between", [" # from here\n  ", '\n# from "x"\n', ' # from "days" '])
def test_the_run_keeps_the_grammar_whatever_comments_say(tmp_path: Path, between: str) -> None:
    reply = f'"days"{between}' if between.endswith(" ") else f'{between}"days"'
    found = checked(tmp_path, GRAMMAR, reply + "\n")
    assert found.program is not None
    kept = check_text(Source("kept.maker", found.program.whole_text))
    assert kept.diagnostics == ()
    assert "start:" in found.program.whole_text


MISTAKES = {
    "day: date\n": ("day date\n", "MK101", "days.lark:4:10"),
    "day: date": ("day: dat", "MK255", "days.lark:4:11"),
    "of ..3": ("of ..n", "MK458", "days.lark:5:29"),
    "//   why: list[string] of ..3\n": ("//   day: date\n", "MK451", "days.lark:5:6"),
    "//   day": ("//   tokens", "MK450", "days.lark:4:6"),
    "why: list[string] of ..3": ("reason: string", "MK413", "t.maker:6:24"),
    "// form": ("// fields { day: date }\n// form", "MK458", "days.lark:7:11"),
    "WORD: /[a-z]+/": ("WORD: /(?=x)/", "MK415", "days.lark:12:1"),
    "day: /[0-9-]+/": ("day: /(?=[0-9])[0-9-]+/", "MK415", "days.lark:10:1"),
    "on 2026": ("in 2026", "MK418", "days.lark:8:1"),
    "start: ": ("start: WORD? ", "MK407", "days.lark:9:1"),
    "// }": ("//", "MK101", "days.lark:"),
}


@pytest.mark.parametrize("right", MISTAKES)
def test_a_mistake_in_the_file_is_shown_in_the_file(right: str, tmp_path: Path) -> None:
    wrong, code, place = MISTAKES[right]
    assert right in GRAMMAR
    found = checked(tmp_path, GRAMMAR.replace(right, wrong, 1))
    assert [one.code for one in found.diagnostics][:1] == [code]
    assert f"--> {place}" in said(found, tmp_path)


def test_a_mistake_in_the_rules_names_the_task_that_takes_them_too(tmp_path: Path) -> None:
    shown = said(checked(tmp_path, GRAMMAR.replace("WORD: /[a-z]+/", "WORD: /(?=x)/")), tmp_path)
    assert "t.maker:6:24" in shown
    assert "taken from there" in shown


def test_a_file_without_fields_needs_braces(tmp_path: Path) -> None:
    plain = GRAMMAR.replace("// fields {", "// nothing {")
    found = checked(tmp_path, plain)
    assert [one.code for one in found.diagnostics] == ["MK452"]
    assert 'write them after it: `"days" { name: type }`' in said(found, tmp_path)
    assert checked(tmp_path, plain, '"days" { day: date }').diagnostics == ()


def test_fields_are_declared_at_the_top_alone(tmp_path: Path) -> None:
    below = "// Days.\n" + GRAMMAR.split("// example", 1)[1].split("\n", 1)[1] + "// fields { day: date }\n"
    found = checked(tmp_path, below)
    assert [one.code for one in found.diagnostics] == ["MK452"]
    assert "this declares nothing" in said(found, tmp_path)


@pytest.mark.parametrize("nearly", ["// fields: {", "// Fields {", "// field {"])
def test_what_looks_like_a_declaration_of_fields_is_pointed_at(nearly: str, tmp_path: Path) -> None:
    found = checked(tmp_path, GRAMMAR.replace("// fields {", nearly))
    assert [one.code for one in found.diagnostics] == ["MK452"]
    shown = said(found, tmp_path)
    assert "days.lark:3:1" in shown
    assert "the grammar begins with: `// fields { name: type }`" in shown


@pytest.mark.parametrize(
    ("name", "code", "help"),
    [
        ("day", "MK454", "did you mean `days`?"),
        ("iso_dat", "MK454", "did you mean `iso_date`?"),
        ("nothing_like_it", "MK454", "iso_date"),
        ("maker", "MK454", "iso_date"),
        ("days.txt", "MK455", "iso_date"),
        ("../days", "MK455", "iso_date"),
        ("", "MK455", "iso_date"),
    ],
)
def test_a_grammar_that_is_not_there(tmp_path: Path, name: str, code: str, help: str) -> None:
    found = checked(tmp_path, GRAMMAR, f'"{name}"')
    assert [one.code for one in found.diagnostics] == [code]
    assert help in (found.diagnostics[0].help or "")


def test_a_grammar_beside_the_task_goes_before_the_bundled_one(tmp_path: Path) -> None:
    (tmp_path / "iso_date.lark").write_text(GRAMMAR, encoding="utf-8")
    found = checked(tmp_path, GRAMMAR, '"iso_date"')
    assert found.program is not None
    assert "why" in found.program.bind().source_text
