"""`maker test`: the tests in task files."""

from __future__ import annotations

import click

from maker_dsl.cli.exits import ExitCode
from maker_dsl.cli.loading import json_option, load_program
from maker_dsl.cli.output import count, json_result, result, say
from maker_dsl.testing import run_test


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE…")
@json_option
def test(files: tuple[str, ...], as_json: bool) -> int:
    """Run the tests in task files. Exit code 1 if one fails."""
    passed = failed = 0
    for file in files:
        program = load_program(file)
        for task_test in program.tests:
            outcome = run_test(task_test)
            passed, failed = passed + outcome.passed, failed + (not outcome.passed)
            if as_json:
                json_result({"file": file, "test": task_test.name, "passed": outcome.passed, "why": outcome.why})
            elif not outcome.passed:
                result(f"FAILED {file}: {task_test.name}\n    {outcome.why}")
        if not program.tests:
            say(f"{file}: there are no tests in it")
    say(f"{count(passed, 'test')} passed" + (f", {failed:,} failed" if failed else ""))
    return ExitCode.NOT_DONE if failed else ExitCode.DONE
