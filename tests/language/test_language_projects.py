"""Files that use one another, with mistakes between them, and what the author is told: the cases in `projects/`.

The first block of a case is the file that is checked; the others are the files beside it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from golden import Case, cases

from maker_dsl.checker.project import UsedFile
from maker_dsl.diagnostics import Source
from maker_dsl.diagnostics.text import render_all
from maker_dsl.language import Checked, check_text, grammar_reader
from maker_dsl.testing import failed_tests


def check_files(files: Mapping[str, str]) -> Checked:
    """Check the first of these files, which lie in one folder that no disk has."""

    def read(name: str) -> UsedFile | None:
        if name not in files:
            return None
        return UsedFile(os.path.realpath(name), Source(name, files[name]), grammar_reader(Path("/nowhere")), read)

    name, text = next(iter(files.items()))
    return check_text(Source(name, text), grammar_reader(Path("/nowhere")), read)


@pytest.mark.timeout(20)
@pytest.mark.parametrize("case", cases(Path(__file__).parent / "projects"))
def test_mistake_between_files_is_explained(case: Case, golden: Callable[[Case, str], None]) -> None:
    files = {block.info.split()[1]: block.text for block in case.inputs}
    assert len(files) == len(case.inputs)
    checked = check_files(files)
    assert checked.diagnostics
    assert (checked.program is None) == checked.has_errors
    assert all(failed_tests(program) == () for program in checked.programs)
    golden(case, render_all(checked.diagnostics))
