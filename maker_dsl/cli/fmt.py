"""`maker fmt`: task files in their one canonical layout."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path

import click

from maker_dsl.cli.exits import ExitCode
from maker_dsl.cli.files import file_bytes
from maker_dsl.cli.output import count, result, say, say_diagnostics
from maker_dsl.diagnostics import Diagnostic, Label, Problems, Source, Span, did_you_mean
from maker_dsl.formatting.formatter import format_text


@dataclass(slots=True)
class _Tally:
    """What became of the files."""

    changed: int = 0
    kept: int = 0
    broken: int = 0
    unwritten: int = 0


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE…")
@click.option(
    "--check", "only_check", is_flag=True, help="Write nothing; list the files that would change. Exit code 1."
)
@click.option("--diff", "show_diff", is_flag=True, help="Write nothing; show what would change. Exit code 1.")
def fmt(files: tuple[str, ...], only_check: bool, show_diff: bool) -> int:
    """Bring task files into their canonical layout.

    Comments, texts and the meaning stay as they are. FILE is a path, a folder (all .maker files below it), or `-`
    for standard input to standard output.
    """
    if "-" in files and len(files) > 1:
        raise click.UsageError("`-` stands alone: standard input goes to standard output.")
    tally = _Tally()
    for path in _paths(files, tally):
        source = _read(path)
        text = None if source is None else _formatted(source)
        if source is None or text is None:
            tally.broken += 1
        elif text == source.text:
            tally.kept += 1
            if path is None and not only_check and not show_diff:
                _print(text)
        else:
            _changed(path, source, text, tally, only_check=only_check, show_diff=show_diff)
    is_dry = only_check or show_diff
    if "-" not in files:
        say(_summary(tally, is_dry=is_dry))
    if tally.broken:
        return ExitCode.WRONG
    return ExitCode.NOT_DONE if tally.unwritten or (is_dry and tally.changed) else ExitCode.DONE


def _changed(path: Path | None, source: Source, text: str, tally: _Tally, *, only_check: bool, show_diff: bool) -> None:
    if show_diff:
        result(_diff(source, text))
    elif only_check:
        result(source.name)
    elif path is None:
        _print(text)
    else:
        try:
            _write(path, text)
        except OSError as error:
            say(f"{source.name}: can't be written: {error.strerror}")
            tally.unwritten += 1
            return
        say(f"{source.name}: formatted")
    tally.changed += 1


def _paths(files: tuple[str, ...], tally: _Tally) -> list[Path | None]:
    """The files to format, each once; None for standard input."""
    if files == ("-",):
        return [None]
    found: dict[Path, Path] = {}
    for name in files:
        path = Path(name)
        inside = _files_below(path) if path.is_dir() else [path]
        if not inside:
            raise click.UsageError(f"There is no .maker file in `{name}`.")
        for one in inside:
            if not one.exists():
                _missing(one)
                tally.broken += 1
            else:
                found.setdefault(one.resolve(), one)
    return list(found.values())


def _files_below(folder: Path) -> list[Path]:
    """All task files in a folder, in order, but for what lies in hidden folders."""
    found: list[Path] = []
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found += [Path(place, name) for name in sorted(names) if name.endswith(".maker")]
    return found


def _missing(path: Path) -> None:
    beside = sorted(str(one) for one in path.parent.glob("*.maker")) if path.parent.is_dir() else []
    hint = did_you_mean(str(path), beside, "FILE is the path of a .maker file, a folder, or `-`")
    _say_unreadable(str(path), f"there is no file `{path}`", hint)


def _say_unreadable(name: str, title: str, help: str | None = None) -> None:
    label = Label(Span(Source("FILE", name), 0, max(len(name), 1)))
    say_diagnostics([Diagnostic("MK691", title, label, help=help)])


def _read(path: Path | None) -> Source | None:
    """The text of a file; None once it was said why it can't be read."""
    name = "<stdin>" if path is None else str(path)
    try:
        data = sys.stdin.buffer.read() if path is None else file_bytes(path)
        return Source(name, data.decode())
    except OSError as error:
        _say_unreadable(name, f"`{name}` can't be read: {error.strerror}")
    except UnicodeDecodeError as error:
        _say_unreadable(name, f"`{name}` is not UTF-8 text (byte {error.start})")
    return None


def _formatted(source: Source) -> str | None:
    problems = Problems()
    text = format_text(source, problems)
    if text is None:
        say_diagnostics(problems.sorted())
    return text


def _print(text: str) -> None:
    """To standard output byte for byte: what goes through a filter must come out as it is."""
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode())
    sys.stdout.buffer.flush()


def _write(path: Path, text: str) -> None:
    """Replace the file as a whole, with its mode: nobody ever sees half of it."""
    target = path.resolve()
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text.encode())
        shutil.copymode(target, temporary)
        Path(temporary).replace(target)
    except BaseException:
        with suppress(OSError):
            Path(temporary).unlink()
        raise


def _diff(source: Source, text: str) -> str:
    before, after = source.text.split("\n"), text.split("\n")
    lines = unified_diff(before[: -1 if before[-1] == "" else None], after[:-1], source.name, source.name, lineterm="")
    return "\n".join(lines)


def _summary(tally: _Tally, *, is_dry: bool) -> str:
    parts = []
    if tally.changed:
        parts.append(f"{count(tally.changed, 'file')} {'would change' if is_dry else 'formatted'}")
    if tally.kept or not (tally.changed or tally.broken or tally.unwritten):
        parts.append(f"{count(tally.kept, 'file')} in canonical layout already")
    if tally.broken:
        parts.append(f"{count(tally.broken, 'file')} left alone")
    if tally.unwritten:
        parts.append(f"{count(tally.unwritten, 'file')} can't be written")
    return ", ".join(parts)
