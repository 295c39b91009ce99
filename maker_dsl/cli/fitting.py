"""What may not fit into a model: `maker check --provider`. Loaded for that alone: it needs profiles and the engine."""

from __future__ import annotations

from collections.abc import Sequence

from maker_dsl.api import misfits
from maker_dsl.choosing import read_profile
from maker_dsl.cli.output import say
from maker_dsl.diagnostics import Diagnostic
from maker_dsl.language import Checked, InputRefused
from maker_dsl.task import TaskError


class Fitting:
    """Holds tasks against the model of a profile; making one raises ProfileRefused."""

    def __init__(self, provider: str, overrides: Sequence[str]) -> None:
        self._profile = read_profile(provider, overrides, needs_key=False)

    def misfits(self, checked: Checked) -> list[Diagnostic]:
        """What may not fit of a file's tasks, with their inputs' defaults; a task without them is left to its run."""
        found: list[Diagnostic] = []
        for program in checked.programs:
            try:
                found += misfits(program.bind({}), self._profile)
            except (InputRefused, TaskError):
                if program is checked.program:
                    say(f"whether `{program.name}` fits depends on its inputs: `maker run` says so at its start")
        return found
