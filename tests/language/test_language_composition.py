"""Tasks that run tasks: what a file and those it uses become, bound to inputs, without an engine."""

from __future__ import annotations

from pathlib import Path

import pytest
from task_lab import run_reference

from maker_dsl.api import load as load_task
from maker_dsl.diagnostics import Source
from maker_dsl.expressions.fuel import FUEL, shared_fuel
from maker_dsl.expressions.limits import MAX_PROJECT_FUEL
from maker_dsl.judging import Flag
from maker_dsl.language import check_text, load
from maker_dsl.task import RunStep, Task, TaskError
from maker_dsl.testing import run_test

TWICE = """
task twice {
  input n: int in 0..9 = 1
  state { product: int? = null }
  result { product = product ?? 0 }
  done when product != null
  step {
    prompt "What is {{ n }} times two? {{ reply.format }}"
    reply "product = {product: int}"
    update { product = reply.product }
  }
  reference { product = n * 2 }
}
"""


def bound(text: str, **inputs: object) -> Task:
    """The first task of a text."""
    checked = check_text(Source("main.maker", text))
    assert not checked.has_errors, checked.diagnostics
    assert checked.program is not None
    return checked.program.bind(inputs)


def bound_main(step: str, rest: str = "") -> Task:
    """A task whose only step has these parts, beside one that doubles a number."""
    return bound(
        "task main {\n  input ns: list[int] = [1, 2, 3]\n  state { sum: int? = null }\n  done when sum != null\n"
        f"  step {{\n{step}\n}}\n{rest}}}\n{TWICE}"
    )


def test_a_run_gives_its_inputs_and_takes_over_its_result() -> None:
    task = bound_main("run one = twice(n = ns[1])\nupdate { sum = one.product }")
    (step,) = task.run_steps
    assert task.steps == ()
    assert task.next_step(task.initial_state) is step
    (run,) = step.runs
    assert (run.name, run.task, run.is_many) == ("one", "twice", False)
    assert run.inputs(task.initial_state, {}) == ({"n": 2},)
    assert run.bind({"n": 2}).name == "twice"
    assert step.update(task.initial_state, {}, {"one": {"product": 4}}) == {"sum": 4}
    assert run_reference(task)[0] == {"sum": 4}


@pytest.mark.parametrize(
    ("each", "inputs"),
    [
        ("n in ns", [1, 2, 3]),
        ("n in [n for n in ns if n > 1]", [2, 3]),
        ("n in []", []),
        ("n in range(2)", [0, 1]),
        ('k, n in { "b": 5, "a": 4 }', [4, 5]),
        ("i, n in enumerate(ns)", [1, 2, 3]),
    ],
)
def test_for_each_gives_one_run_for_every_item_in_order(each: str, inputs: list[int]) -> None:
    names = each.partition(" in ")[0]
    argument = "n" if names == "n" else f"n + 0 * len(string({names.partition(',')[0]}))"
    task = bound_main(
        f"run all = twice(n = {argument}) for each {each}\nupdate {{ sum = sum(x.product for x in all) }}"
    )
    (run,) = task.run_steps[0].runs
    assert run.is_many
    assert run.inputs(task.initial_state, {}) == tuple({"n": n} for n in inputs)
    assert run_reference(task)[0] == {"sum": 2 * sum(inputs)}


def test_lets_are_there_before_the_runs_unless_they_look_at_results() -> None:
    task = bound_main(
        "let first = ns[0]\nlet low = one.product\nlet total = low + high.product\nrun one = twice(n = first)\n"
        "run high = twice(n = first + 1)\nlet more = total + first\nupdate { sum = more }"
    )
    (step,) = task.run_steps
    assert step.state_locals(task.initial_state) == {"first": 1}
    assert run_reference(task)[0] == {"sum": 2 + 4 + 1}


def test_ints_become_decimals_where_the_input_wants_them() -> None:
    text = (
        TWICE.replace("int in 0..9 = 1", "decimal = 1")
        .replace("int?", "decimal?")
        .replace("product: int}", "product: decimal}")
    )
    task = bound(
        "task main { input ns: list[int] = [1]; state { sum: decimal? = null }; done when sum != null\n"
        f"step {{ run one = twice(n = ns[0])\n update {{ sum = one.product }} }} }}\n{text}"
    )
    (inputs,) = task.run_steps[0].runs[0].inputs(task.initial_state, {})
    assert type(inputs["n"]).__name__ == "Decimal"


def test_an_input_left_out_takes_its_default() -> None:
    task = bound_main("run one = twice()\nupdate { sum = one.product }")
    assert run_reference(task)[0] == {"sum": 2}


def test_outlines_are_those_of_all_tasks_that_may_be_run_each_once() -> None:
    task = bound(
        "task main { state { n: int = 0 }; done when n > 2; step { run a = middle()\n run b = twice()\n"
        " update { n = n + a.n + b.product } } }\n"
        "task middle { state { n: int = 0 }; done when n > 0\n"
        "step { run a = twice()\n update { n = n + a.product } } }\n" + TWICE
    )
    assert [outline.task for outline in task.outlines] == ["main", "middle", "twice"]
    assert [[(step.name, step.has_reference) for step in outline.steps] for outline in task.outlines] == [
        [],
        [],
        [("step", True)],
    ]


def test_a_task_may_run_itself() -> None:
    task = bound(
        "task halves { input n: int in 0.. = 9; state { count: int? = 0 if n == 0 else null }\n"
        "result { count = count ?? 0 }\n done when count != null\n"
        "step { run half = halves(n = n // 2)\n update { count = half.count + 1 } } }"
    )
    assert run_reference(task)[0] == {"count": 4}


def test_tasks_of_one_file_may_run_one_another() -> None:
    text = (
        "task even { input n: int in 0.. = 7; state { yes: bool? = true if n == 0 else null }\n"
        "result { yes = yes == true }\n done when yes != null\n"
        "step { run less = odd(n = n - 1)\n update { yes = less.yes } } }\n"
        "task odd { input n: int in 0..; state { yes: bool? = false if n == 0 else null }\n"
        "result { yes = yes == true }\n done when yes != null\n"
        "step { run less = even(n = n - 1)\n update { yes = less.yes } } }\n"
    )
    assert run_reference(bound(text))[0] == {"yes": False}
    assert run_reference(bound(text, n=8))[0] == {"yes": True}


def test_checking_a_task_that_runs_itself_for_ever_comes_to_an_end() -> None:
    runs = "run a = t()\n run b = t()\n update { n = a.n + b.n }"
    text = f"task t {{ state {{ n: int = 0 }}; done when n > 0; step {{ {runs} }} }}"
    assert check_text(Source("t.maker", text)).diagnostics == ()


def test_a_step_that_asks_and_one_that_runs_take_turns() -> None:
    text = (
        "task main { state { asked: int? = null; sum: int? = null }; done when sum != null\n"
        'step ask when asked == null { prompt "Any number. {{ reply.format }}"\n reply "n = {n: int in 0..9}"\n'
        "update { asked = reply.n } }\n"
        "step run { run one = twice(n = asked ?? 0)\n update { sum = one.product } }\n"
        "reference ask { n = 4 } }\n" + TWICE
    )
    task = bound(text)
    assert task.next_step(task.initial_state) is task.steps[0]
    assert task.next_step({"asked": 4, "sum": None}) is task.run_steps[0]
    assert isinstance(task.run_steps[0], RunStep)
    assert run_reference(task)[0] == {"asked": 4, "sum": 8}


def test_refused_inputs_point_at_the_argument_and_the_input() -> None:
    task = bound_main("run one = twice(n = ns[0])\nupdate { sum = one.product }")
    (run,) = task.run_steps[0].runs
    with pytest.raises(TaskError) as caught:
        run.bind({"n": 12})
    found = caught.value.diagnostic
    assert found.code == "MK393"
    assert found.title == "`twice` refuses the input `n`: expected an int in 0..9, found 12"
    assert found.primary.span.text == "ns[0]"
    assert [label.span.text for label in found.secondary] == ["n"]


def test_an_argument_that_has_no_value_points_at_its_place() -> None:
    task = bound(
        "task main { input ns: list[int] = [1]; state { at: int = 0; sum: int? = null }; done when sum != null\n"
        f"step {{ run one = twice(n = ns[at])\n update {{ sum = one.product }} }} }}\n{TWICE}"
    )
    (run,) = task.run_steps[0].runs
    with pytest.raises(TaskError) as caught:
        run.inputs({"at": 3, "sum": None}, {})
    assert caught.value.diagnostic.code == "MK390"
    assert "ns[at]" in (caught.value.diagnostic.primary.span.text + caught.value.diagnostic.primary.text)


def test_a_new_state_is_held_against_types_and_invariants() -> None:
    task = bound_main(
        "run one = twice(n = ns[0])\nupdate { sum = one.product }", 'invariant "small": sum == null or sum < 10\n'
    )
    (step,) = task.run_steps
    with pytest.raises(TaskError) as caught:
        step.update(task.initial_state, {}, {"one": {"product": 12}})
    assert caught.value.diagnostic.code == "MK394"
    assert "breaks the invariant “small”" in caught.value.diagnostic.title
    with pytest.raises(TaskError) as caught:
        step.update(task.initial_state, {}, {"one": {"product": "x"}})
    assert caught.value.diagnostic.code == "MK394"
    assert caught.value.diagnostic.primary.span.text == "one.product"


def test_a_test_without_a_step_that_meets_one_that_runs_tasks_says_so() -> None:
    text = (
        "task main { state { asked: int? = null; sum: int? = null }; done when sum != null\n"
        'step ask when asked == null { prompt "Any number. {{ reply.format }}"\n reply "n = {n: int in 0..9}"\n'
        "update { asked = reply.n } }\n"
        "step go { run one = twice(n = asked ?? 0)\n update { sum = one.product } }\n"
        'test "later" { given { asked = 3 }; reply "n = 3"; accept } }\n' + TWICE
    )
    program = check_text(Source("main.maker", text)).program
    assert program is not None
    (test,) = program.tests
    outcome = run_test(test)
    assert outcome.why == "step `go` runs `twice` and asks no model, so there is no reply to judge: test what it runs"
    assert not isinstance(outcome.verdict, Flag)


# Files ------------------------------------------------------------------------------------------------------------

MAIN = """maker 1
use "lib/numbers.maker"   # what it stands on
use "signs.maker"; task main {
  state { sum: int? = null }
  done when sum != null
  step {
    run one = twice(n = 3)
    run sign = sign_of(n = -3)
    update { sum = one.product + sign.sign }
  }
}
"""
NUMBERS = (
    'maker 1; use "tables.maker"\n'
    + TWICE
    + """
task other { state { n: int = 0 }; done when n > 0; step { run t = table()\n update { n = t.rows } } }
"""
)
TABLES = """
task table { state { rows: int = 0 }; done when rows > 0; step { run z = zero()\n update { rows = z.n + 1 } } }
task zero { state { n: int = 0 }; done when n == 0; step { run t = table()\n update { n = t.rows } } }
"""
SIGNS = """
task sign_of {
  input n: int
  state { sign: int? = null }
  result { sign = sign ?? 0 }
  done when sign != null
  step {
    prompt "What is the sign of {{ n }}? {{ reply.format }}"
    reply grammar from "sign.lark" { sign: int }
    update { sign = reply.sign }
  }
  reference { sign = 1 if n > 0 else -1 }
}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "numbers.maker").write_text(NUMBERS)
    (tmp_path / "lib" / "tables.maker").write_text(TABLES)
    (tmp_path / "signs.maker").write_text(SIGNS)
    (tmp_path / "sign.lark").write_text('start: "sign" "=" sign\nsign: /[+-]?1/\n')
    (tmp_path / "main.maker").write_text(MAIN)
    return tmp_path / "main.maker"


def test_files_are_found_beside_the_one_that_uses_them(project: Path) -> None:
    checked = load(project)
    assert not checked.has_errors, checked.diagnostics
    assert checked.program is not None
    assert checked.program.name == "main"
    assert {program.name for program in checked.programs} == {"main", "twice", "other", "table", "zero", "sign_of"}


def test_the_kept_text_stands_alone_and_keeps_all_places(project: Path) -> None:
    task = load_task(project)
    kept = task.source_text
    assert kept.startswith('maker 1\n#   "lib/numbers.maker"   # what it stands on\n                   task main {')
    assert kept.index("update { sum") == MAIN.index("update { sum")
    assert "sign: /[+-]?1/" in kept
    program = check_text(Source("/nowhere/main.maker", kept)).program
    assert program is not None
    again = program.bind()
    assert again.name == "main"
    assert [one.task for one in again.outlines] == [one.task for one in task.outlines]
    assert run_reference(again)[0] == run_reference(task)[0] == {"sum": 5}
    assert again.source_text == kept


@pytest.mark.parametrize(
    "uses",
    [
        'use "twice.maker"\n;;\n',
        'use "twice.maker" # "\n  ; # ;\n\n;',
        'use # use "x"\n"twice.maker";',
        'use"twice.maker"',
        'use """\ntwice.maker"""',
    ],
)
def test_the_kept_text_can_be_read_however_uses_are_separated(uses: str, tmp_path: Path) -> None:
    step = 'about "use"; state { n: int = 0 }; done when n > 0; step { run t = twice()\n update { n = t.product } }'
    (tmp_path / "twice.maker").write_text(TWICE)
    (tmp_path / "main.maker").write_text(f"{uses} task main {{ {step} }}\n")
    kept = load_task(tmp_path / "main.maker").source_text
    again = check_text(Source("/nowhere/main.maker", kept))
    assert again.diagnostics == ()
    assert again.program is not None
    assert again.program.whole_text == kept


def test_a_bundled_task_is_used_by_its_file_name(tmp_path: Path) -> None:
    (tmp_path / "down.maker").write_text(
        'use "countdown.maker"\ntask down { state { n: int = 3 }; done when n == 0\n'
        "step { run one = countdown(start = n)\n update { n = one.n } } }\n"
    )
    checked = load(tmp_path / "down.maker")
    assert checked.diagnostics == ()


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "other.maker").write_bytes(b"task \xff")
    (tmp_path / "main.maker").write_text('use "other.maker"\n' + TWICE)
    (found, *_) = load(tmp_path / "main.maker").diagnostics
    assert found.code == "MK221"
    assert "not UTF-8" in found.primary.text


def test_too_many_files_are_refused(tmp_path: Path) -> None:
    for number in range(120):
        uses = f'use "f{number + 1}.maker"\n' if number < 119 else ""
        (tmp_path / f"f{number}.maker").write_text(uses + TWICE.replace("twice", f"t{number}"))
    found = [one for one in load(tmp_path / "f0.maker").diagnostics if one.code == "MK221"]
    assert len(found) == 1
    assert "at most 100 files" in found[0].primary.text


def test_files_that_all_use_one_another_are_checked_at_once(tmp_path: Path) -> None:
    for number in range(300):
        uses = "".join(f'use "f{other}.maker"\n' for other in range(300) if other != number)
        (tmp_path / f"f{number}.maker").write_text(uses)
    found = load(tmp_path / "f0.maker").diagnostics
    assert [one.code for one in found].count("MK221") == 1


def test_a_file_can_use_a_hundred_others(tmp_path: Path) -> None:
    (tmp_path / "main.maker").write_text('use "no.maker"\n' * 20_000 + TWICE)
    found = [one for one in load(tmp_path / "main.maker").diagnostics if "too many" in one.title]
    assert [one.primary.span.start for one in found] == [100 * len('use "no.maker"\n') + len("use ")]


# Bounds -----------------------------------------------------------------------------------------------------------

AT_ONCE = """task at_once {
  input n: int = 1
  state { d: bool = n == n }
  done when d
  step { run a = at_once()
 update { d = a.d } }
}
"""


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "step",
    [
        "run all = at_once(n = i) for each i in range(900000)\nupdate { n = len(all) }",
        "run a = at_once()\nupdate { n = 0 if a.d else 1 }",
        "run a = main()\nrun b = main()\nupdate { n = a.n + b.n }",
        "run all = main() for each i in range(100000)\nupdate { n = len(all) }",
    ],
    ids=["many items", "never done", "twofold recursion", "manifold recursion"],
)
def test_trying_out_what_has_no_end_comes_to_one(step: str) -> None:
    text = f"task main {{ state {{ n: int = 0 }}; done when n > 0; step {{ {step} }} }}\n{AT_ONCE}"
    assert not check_text(Source("main.maker", text)).has_errors


@pytest.mark.timeout(30)
def test_more_than_a_thousand_tasks_that_run_tasks_are_refused() -> None:
    text = "".join(AT_ONCE.replace("at_once", f"t{number}") for number in range(1_001))
    (found,) = check_text(Source("main.maker", text)).diagnostics
    assert (found.code, found.primary.span.text) == ("MK221", "t1000")


@pytest.mark.timeout(20)
def test_trying_out_many_tasks_shares_one_bound() -> None:
    heavy = "[" + " + ".join(["j * j"] * 8) + " for j in range(60000)]"
    text = "".join(
        f"task t{number} {{ input l: list[int] = {heavy}; state {{ n: int = len(l) }}; done when n == 0\n"
        f"step {{ run a = t{(number + 1) % 300}()\n update {{ n = a.n }} }} }}\n"
        for number in range(300)
    )
    with shared_fuel(10 * MAX_PROJECT_FUEL):
        assert not check_text(Source("main.maker", text)).has_errors
        assert FUEL.left >= 9 * MAX_PROJECT_FUEL
