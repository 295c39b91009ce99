"""A run's directory that was damaged: every command says what and where, and ends with the documented code."""

from __future__ import annotations

import shutil
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from transcript import mask, run_maker


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run, to be copied."""
    runs = tmp_path_factory.mktemp("whole") / "runs"
    output, code = run_maker(["run", "countdown", "--quiet", "--runs", str(runs)])
    assert (output, code) == ("n = 0\n", 0)
    return runs


def segment(run: Path) -> Path:
    return sorted((run / "journal").iterdir())[0]


def overwrite(path: Path, offset: int, data: bytes) -> None:
    content = bytearray(path.read_bytes())
    content[offset : offset + len(data)] = data
    path.write_bytes(content)


def flip(run: Path) -> None:
    byte = segment(run).read_bytes()[600]
    overwrite(segment(run), 600, bytes([byte ^ 4]))


def cut(run: Path) -> None:
    segment(run).write_bytes(segment(run).read_bytes()[:700])


def newer(run: Path) -> None:
    header = segment(run).read_bytes()[:8] + b"\x63\x00" + segment(run).read_bytes()[10:124]
    overwrite(segment(run), 0, header + zlib.crc32(header).to_bytes(4, "little"))


def edit_task(run: Path) -> None:
    path = run / "task.maker"
    path.write_text(path.read_text(encoding="utf-8") + "# later\n", encoding="utf-8")


def break_facts(run: Path) -> None:
    (run / "run.json").write_text("{\n", encoding="utf-8")


def remove_facts(run: Path) -> None:
    (run / "run.json").unlink()


def remove_journal(run: Path) -> None:
    shutil.rmtree(run / "journal")


def empty(run: Path) -> None:
    segment(run).write_bytes(b"")


def other_file(run: Path) -> None:
    segment(run).write_bytes(b"a text that somebody put here\n" * 100)


RUN = "runs/countdown-20261123-120000-abcd"
DONE = 0
UNUSABLE = 1
USAGE = 3
DAMAGED = f"the journal is damaged: record 0, {RUN}/journal/00000001.log at byte "

CASES: list[tuple[Callable[[Path], None], tuple[int, int, int], str]] = [
    # Status and resume of a finished run need its end alone, which a snapshot proves.
    (flip, (DONE, UNUSABLE, DONE), f"{DAMAGED}128: its checksum is wrong"),
    (cut, (UNUSABLE, UNUSABLE, UNUSABLE), f"{DAMAGED}128: the record is cut off"),
    (newer, (UNUSABLE, UNUSABLE, UNUSABLE), "was written by a newer version of maker"),
    (edit_task, (DONE, UNUSABLE, UNUSABLE), "task.maker is not the text that the run was started with"),
    (break_facts, (UNUSABLE, UNUSABLE, UNUSABLE), f"the run in {RUN} cannot be read: run.json: "),
    (remove_facts, (USAGE, USAGE, USAGE), "there is no run `countdown-20261123-120000-abcd` in "),
    (remove_journal, (UNUSABLE, UNUSABLE, UNUSABLE), f"{DAMAGED}0: the file is missing"),
    (empty, (UNUSABLE, UNUSABLE, UNUSABLE), "is not a journal of maker"),
    (other_file, (UNUSABLE, UNUSABLE, UNUSABLE), "is not a journal of maker"),
]


@pytest.mark.parametrize(("damage", "codes", "said"), CASES, ids=[case[0].__name__ for case in CASES])
def test_damage_is_named_and_nothing_is_changed(
    damage: Callable[[Path], None], codes: tuple[int, int, int], said: str, whole: Path, tmp_path: Path
) -> None:
    runs = tmp_path / "runs"
    shutil.copytree(whole, runs)
    (run,) = runs.iterdir()
    damage(run)
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    for command, expected in zip(("status", "verify", "resume"), codes, strict=True):
        output, code = run_maker([command, run.name, "--runs", str(runs)])
        assert code == expected, output
        assert "Traceback" not in output
        if command == "verify":
            assert said in mask(output, tmp_path)
        if expected != DONE:
            after = {path: path.read_bytes() for path in run.rglob("*") if path.is_file() and path.name != "lock"}
            assert after == {path: data for path, data in before.items() if path.name != "lock"}
