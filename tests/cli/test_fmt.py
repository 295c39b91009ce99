"""What `maker fmt` does to files, beyond what the transcript in cases/fmt.md shows."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from transcript import run_maker

from maker_dsl.cli import fmt

LOOSE = "task t {\n    done   when true # c\n}\n"
TIDY = "task t {\n  done when true  # c\n}\n"


@pytest.fixture(autouse=True)
def _in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_line_breaks_of_windows_and_a_byte_order_mark_go() -> None:
    path = Path("t.maker")
    path.write_bytes(b"\xef\xbb\xbf" + TIDY.replace("\n", "\r\n").encode())
    assert run_maker(["fmt", "--check", "t.maker"])[1] == 1
    assert run_maker(["fmt", "t.maker"])[1] == 0
    assert path.read_bytes() == TIDY.encode()


def test_the_mode_of_a_file_and_a_link_to_it_stay() -> None:
    Path("real.maker").write_text(LOOSE)
    Path("real.maker").chmod(0o640)
    Path("link.maker").symlink_to("real.maker")
    assert run_maker(["fmt", "link.maker"])[1] == 0
    assert Path("link.maker").is_symlink()
    assert Path("real.maker").read_text() == TIDY
    assert Path("real.maker").stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in Path().iterdir()) == ["link.maker", "real.maker"]


def test_a_file_that_cannot_be_written_stays_whole_and_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("t.maker").write_text(LOOSE)

    def refuse(path: Path, target: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(fmt.Path, "replace", refuse)
    output, code = run_maker(["fmt", "t.maker"])
    assert code == 1
    assert "t.maker: can't be written: Permission denied" in output
    assert Path("t.maker").read_text() == LOOSE
    assert [path.name for path in Path().iterdir()] == ["t.maker"]


def test_what_is_no_text_is_refused() -> None:
    Path("t.maker").write_bytes(b"task \xff")
    output, code = run_maker(["fmt", "t.maker"])
    assert code == 2
    assert "`t.maker` is not UTF-8 text (byte 5)" in output


def test_a_folder_without_task_files_is_wrong_usage() -> None:
    Path("none/.hidden").mkdir(parents=True)
    Path("none/.hidden/t.maker").write_text(LOOSE)
    output, code = run_maker(["fmt", "none"])
    assert code == 3
    assert "There is no .maker file in `none`." in output


def test_a_bug_leaves_the_file_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("t.maker").write_text(LOOSE)
    monkeypatch.setattr("maker_dsl.formatting.formatter.render", lambda doc, width: "task u { done when true }\n")
    output, code = run_maker(["fmt", "t.maker"])
    assert code == 70
    assert "this is a bug of ours" in output
    assert Path("t.maker").read_text() == LOOSE


def test_a_filter_gives_bytes_as_they_are() -> None:
    text = 'task t {\n  about "\u00e9 \u202e"  # \x07\n  done when true\n}\n'
    found = subprocess.run(
        [sys.executable, "-m", "maker_dsl", "fmt", "-"], input=text.encode(), capture_output=True, check=True
    )
    assert found.stdout == text.encode()
    assert found.stderr == b""


def test_neither_checker_nor_compiler_is_loaded() -> None:
    Path("t.maker").write_text(TIDY)
    script = (
        "import sys\nfrom maker_dsl.cli.app import run\nassert run(['fmt', 't.maker']) == 0\n"
        "assert not any(name.startswith(('maker_dsl.compiler', 'maker_dsl.engine')) for name in sys.modules)\n"
    )
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
