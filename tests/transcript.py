"""Transcripts: Markdown files whose commands are really run, and whose output is really what comes.

    ```maker file=ledger.maker      a block with `file=` is written to that file, in a folder of the test's own
    ```console                      lines after `$ ` are commands; what follows is all they print (errors too)
    $ maker check ledger.maker
    1 file checked: no problems
    $ maker run nothing; echo $?    `; echo $?` prints the exit code
    ```

Only `maker …`, with `< FILE`, and `cat FILE` are known, with shell quoting and `\\` at a line's end. What differs from
run to run (ids, times, places) is masked in both. `pytest --update-golden` rewrites the console blocks.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
from click.testing import CliRunner

from maker_dsl.cli import app

_BLOCK = re.compile(r"^(`{3,})(maker|toml|json|console|text|lark)([^\n`]*)\n(.*?)^\1[ \t]*$", re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(r"^\$ ((?:.*\\\n)*.*)$", re.MULTILINE)

_MASKS = (
    (re.compile(r"\b([a-z_]+)-\d{8}-\d{6}-[0-9a-z]{4}\b"), r"\1-20261123-120000-abcd"),
    (re.compile(r"(?<![\w.])/\S+/(tasks|providers|grammars)/"), r"…/\1/"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00"), "2026-11-23T12:00:00+00:00"),
    (re.compile(r"\b\d+\.\d s\b"), "0.1 s"),
    (re.compile(r'"seconds":\s*[0-9.e-]+'), '"seconds":0.1'),
    (re.compile(r'\btime="\d+\.\d{3}"'), 'time="0.001"'),
    (re.compile(r"receipt: [0-9a-f]{64}"), "receipt: 5e0f…"),
    (re.compile(r'"receipt":"[0-9a-f]{64}"'), '"receipt":"5e0f…"'),
)


def check_transcript(path: Path, folder: Path, *, update: bool) -> None:
    """Run a file's blocks in order inside `folder`, which is the working directory, and compare every output."""
    text = path.read_text(encoding="utf-8")
    pieces: list[str] = []
    at = 0
    for block in _BLOCK.finditer(text):
        kind, info, body = block[2], block[3], block[4]
        pieces.append(text[at : block.start(4)])
        at = block.end(4)
        named = re.search(r"\bfile=(\S+)", info)
        if kind == "console":
            body = "".join(_run(command, folder) for command in _commands(body))
        elif named is not None:
            target = folder / named[1]
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(body, encoding="utf-8")
        pieces.append(body)
    pieces.append(text[at:])
    actual = "".join(pieces)
    if actual != text and update:
        path.write_text(actual, encoding="utf-8")
        return
    assert actual == text, f"{path} (rewrite with pytest --update-golden)"


def has_commands(path: Path) -> bool:
    """Whether a file has a console block."""
    return any(block[2] == "console" for block in _BLOCK.finditer(path.read_text(encoding="utf-8")))


def _commands(body: str) -> Iterator[str]:
    for match in _COMMAND.finditer(body):
        yield match[1]


def _run(command: str, folder: Path) -> str:
    line = command.replace("\\\n", " ")
    line, tells_code = line.removesuffix("; echo $?"), line.endswith("; echo $?")
    line, _, given_file = line.partition(" < ")
    given = (folder / given_file).read_text(encoding="utf-8") if given_file else ""
    words = shlex.split(line)
    if words[0] == "cat":
        output = "".join((folder / name).read_text(encoding="utf-8") for name in words[1:])
    else:
        assert words[0] == "maker", command
        output, code = run_maker(words[1:], given)
        if tells_code:
            output += f"{code}\n"
    if output and not output.endswith("\n"):
        output += "\n"
    return f"$ {command}\n{mask(output, folder)}"


def run_maker(arguments: list[str], given: str = "") -> tuple[str, int]:
    """All that `maker` prints, and its exit code; in this process, so that it is quick."""

    @click.command(context_settings={"ignore_unknown_options": True, "allow_extra_args": True}, add_help_option=False)
    @click.pass_context
    def call(context: click.Context) -> None:
        raise SystemExit(app.run(context.args))

    found = CliRunner().invoke(call, arguments, input=given, prog_name="maker")
    return found.output, found.exit_code


def mask(output: str, folder: Path) -> str:
    """The output without what differs from run to run."""
    output = output.replace(f"{folder}/", "")
    for pattern, instead in _MASKS:
        output = pattern.sub(instead, output)
    return "\n".join(line.rstrip() for line in output.split("\n"))
