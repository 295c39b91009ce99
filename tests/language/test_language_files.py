"""Task files, bundled names, and grammar files beside a task."""

from __future__ import annotations

from pathlib import Path

import pytest

from maker_dsl.diagnostics import Source
from maker_dsl.judging import Vote, judge
from maker_dsl.language import MAX_FILE_BYTES, FileProblem, check_text, find_file, load
from maker_dsl.task import RawReply, Task

GRAMMAR = """// A number after a word, in quotes or not.
start: "next" sign? (value | "\\"" value "\\"")
sign: "=" | ":"
value: /-?[0-9]+/
%ignore " "
"""

TASK = """task t {
  state { n: int = 3 }
  done when n == 0
  step {
    prompt "{{ n }} {{ reply.format }}"
    reply grammar from "numbers.lark" { value: int }
    update { n = reply.value }
  }
}
"""


def accepts(task: Task, text: str) -> bool:
    (step,) = task.steps
    return isinstance(judge(task, step, task.initial_state, {}, RawReply(text, 1, "stop")), Vote)


def test_a_grammar_is_found_beside_the_task_and_kept_with_it(tmp_path: Path) -> None:
    (tmp_path / "t.maker").write_text(TASK, encoding="utf-8")
    (tmp_path / "numbers.lark").write_text(GRAMMAR, encoding="utf-8")
    checked = load(tmp_path / "t.maker")
    assert checked.program is not None, checked.diagnostics
    task = checked.program.bind()
    alone = check_text(Source("elsewhere.maker", task.source_text)).program
    assert alone is not None
    again = alone.bind()
    assert again.source_text == task.source_text
    for text, good in (
        ("next = 2", True),
        ('next : "2"', True),
        ("next 2", True),
        ("next two", False),
        ('next "2', False),
    ):
        assert accepts(task, text) is good
        assert accepts(again, text) is good


def test_a_task_without_grammar_files_keeps_its_text() -> None:
    text = TASK.replace('grammar from "numbers.lark" { value: int }', '"{value: int}"')
    program = check_text(Source("t.maker", text)).program
    assert program is not None
    assert program.bind().source_text == text


@pytest.mark.parametrize("name", ["hanio", "nowhere.maker", "../hanoi", ""])
def test_a_task_that_is_not_there_is_named(name: str) -> None:
    with pytest.raises(FileProblem):
        load(name)


def test_a_misspelt_bundled_task_is_met_with_its_name() -> None:
    with pytest.raises(FileProblem) as caught:
        load("hanio")
    assert caught.value.hint == "did you mean `hanoi`?"


@pytest.mark.parametrize("data", [b"\xff\xfe", b"#" * (MAX_FILE_BYTES + 1)])
def test_a_file_that_is_no_task_text_is_refused(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "t.maker"
    path.write_bytes(data)
    with pytest.raises(FileProblem):
        load(path)


def test_line_breaks_of_other_systems_make_no_difference(tmp_path: Path) -> None:
    path = tmp_path / "countdown.maker"
    path.write_bytes(b"\xef\xbb\xbf" + Path(load("countdown").source.name).read_bytes().replace(b"\n", b"\r\n"))
    assert load(path).diagnostics == ()


def test_a_misspelt_file_is_found_among_those_beside_it(tmp_path: Path) -> None:
    (tmp_path / "ledger.maker").write_text("")
    with pytest.raises(FileProblem) as problem:
        find_file(tmp_path / "legder.maker")
    assert problem.value.hint == f"did you mean `{tmp_path / 'ledger.maker'}`?"
