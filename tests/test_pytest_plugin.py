"""`.maker` files as pytest meets them."""

from __future__ import annotations

import pytest

from maker_dsl.bundled import bundled_path

pytest_plugins = ["pytester"]

GOOD = """
task good {
  state { n: int = 3 }
  done when n == 0
  step {
    prompt "The number is {{ n }}. Subtract one. {{ reply.format }}"
    reply "next = {value: int}"
    rule "goes down": reply.value < n
    update { n = reply.value }
  }
  test "two follows three" {
    reply "next = 2"
    accept
  }
  test "it goes up: never, [ever]" {
    reply "next = 4"
    reject "goes down"
  }
}
"""
FAILING = GOOD.replace("next = 4", "next = 1")
WRONG = GOOD.replace("done when n == 0", "done when m == 0")


def run(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    return pytester.runpytest_inprocess("-p", "no:cacheprovider", "-p", "no:randomly", *arguments)


def write(pytester: pytest.Pytester, **files: str) -> None:
    for name, text in files.items():
        path = pytester.path / "tasks" / f"{name}.maker"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")


def test_every_test_of_every_file_in_a_directory_is_collected(pytester: pytest.Pytester) -> None:
    write(pytester, good=GOOD, other=GOOD)
    found = run(pytester, "tasks", "-v")
    found.assert_outcomes(passed=4)
    found.stdout.fnmatch_lines(["tasks/good.maker::two follows three PASSED*"])


def test_they_stand_beside_python_tests(pytester: pytest.Pytester) -> None:
    write(pytester, good=GOOD)
    pytester.makepyfile(test_python="def test_it(): pass")
    run(pytester).assert_outcomes(passed=3)


@pytest.mark.parametrize("name", ["two follows three", "it goes up: never, [ever]"])
def test_one_test_can_be_chosen_by_its_name(pytester: pytest.Pytester, name: str) -> None:
    write(pytester, good=GOOD)
    run(pytester, f"tasks/good.maker::{name}").assert_outcomes(passed=1)


def test_a_failed_test_says_what_maker_test_says(pytester: pytest.Pytester) -> None:
    write(pytester, failing=FAILING)
    found = run(pytester, "tasks/failing.maker")
    found.assert_outcomes(passed=1, failed=1)
    found.stdout.fnmatch_lines(
        [
            "FAILED tasks/failing.maker: it goes up: never, [[]ever]",
            '    the reply was accepted, not rejected for "goes down"; it leads to {"n": 1}',
        ]
    )
    assert "Traceback" not in found.stdout.str()
    assert "pytest_plugin.py" not in found.stdout.str()


def test_the_report_names_the_line_of_the_test(pytester: pytest.Pytester) -> None:
    write(pytester, failing=FAILING)
    items, _ = pytester.inline_genitems("tasks/failing.maker")
    assert [item.reportinfo()[1] for item in items] == [
        next(number for number, line in enumerate(FAILING.split("\n")) if item.name in line) for item in items
    ]


def test_a_file_with_errors_is_one_failing_test_that_shows_them(pytester: pytest.Pytester) -> None:
    write(pytester, wrong=WRONG, good=GOOD)
    found = run(pytester, "tasks")
    found.assert_outcomes(passed=2, failed=1)
    found.stdout.fnmatch_lines(["error[[]MK201]: unknown name `m`", "*--> tasks/wrong.maker:4:13"])
    assert "Traceback" not in found.stdout.str()


def test_a_file_that_is_no_text_is_one_failing_test(pytester: pytest.Pytester) -> None:
    (pytester.path / "bytes.maker").write_bytes(b"\xff\xfe")
    found = run(pytester)
    found.assert_outcomes(failed=1)
    found.stdout.fnmatch_lines(["`bytes.maker` is not UTF-8 text*"])


def test_a_file_without_tests_adds_none(pytester: pytest.Pytester) -> None:
    write(pytester, good=GOOD[: GOOD.index("  test ")] + "}\n")
    assert run(pytester, "tasks").ret == pytest.ExitCode.NO_TESTS_COLLECTED


def test_the_tests_of_all_tasks_in_a_file_are_collected(pytester: pytest.Pytester) -> None:
    write(pytester, both=GOOD + GOOD.replace("task good", "task second"))
    found = run(pytester, "tasks", "-v")
    found.assert_outcomes(passed=4)
    found.stdout.fnmatch_lines(["*::second: two follows three PASSED*"])


@pytest.mark.parametrize("arguments", [("-o", "maker_collect=false"), ("-p", "no:maker")])
def test_it_can_be_switched_off(pytester: pytest.Pytester, arguments: tuple[str, ...]) -> None:
    write(pytester, good=GOOD)
    assert run(pytester, *arguments).ret == pytest.ExitCode.NO_TESTS_COLLECTED


def test_a_project_without_task_files_loads_nothing_of_maker(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import sys

        def test_it():
            loaded = [name for name in sys.modules if name.startswith("maker_dsl.")]
            assert sorted(loaded) == ["maker_dsl.pytest_plugin", "maker_dsl.version"]
            heavy = {"litellm", "pydantic", "lark", "jinja2", "click"}
            assert not heavy & set(sys.modules)
        """
    )
    # The plug-ins of others load what they like.
    arguments = ["-p", "no:hypothesispytest", "-p", "no:xdist", "-p", "no:anyio"]
    pytester.runpytest_subprocess("-p", "no:cacheprovider", *arguments).assert_outcomes(passed=1)


def test_a_bundled_task_is_collected_from_where_it_lies(pytester: pytest.Pytester) -> None:
    path = bundled_path("tasks", "countdown")
    assert path is not None
    run(pytester, str(path)).assert_outcomes(passed=path.read_text(encoding="utf-8").count("  test "))
