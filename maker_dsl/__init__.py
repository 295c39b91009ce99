"""maker: a language and an engine for long LLM processes without errors.

The Python API, the same as the command line:

    import maker_dsl

    task = maker_dsl.load("hanoi", disks=3)
    verdict = maker_dsl.judge(task, "move = [1, 0, 2] …")
    report = maker_dsl.run(task, provider="simulated")
    maker_dsl.verify(report.run)

Names are loaded when they are first used: importing the package costs nothing, and never loads LiteLLM.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from maker_dsl.version import __version__

if TYPE_CHECKING:
    from maker_dsl.api import (
        TaskRefused,
        check,
        diagnostics_of,
        explain,
        judge,
        load,
        loads,
        render,
        resume,
        run,
        status,
        verify,
    )
    from maker_dsl.choosing import ProfileRefused, Refused
    from maker_dsl.compiler.binding import InputRefused
    from maker_dsl.diagnostics import Diagnostic
    from maker_dsl.engine.report import RunReport, Status
    from maker_dsl.engine.settings import RunOptions, SettingsRefused
    from maker_dsl.engine.story import RunsStory, StepMissing, StepStory
    from maker_dsl.engine.verification import Verification
    from maker_dsl.journal.errors import JournalError
    from maker_dsl.judging import Flag, Verdict, Vote
    from maker_dsl.language import FileProblem
    from maker_dsl.plugins.allowed import PluginMissing
    from maker_dsl.providers.open import ProfileError
    from maker_dsl.providers.port import ProviderError
    from maker_dsl.task import Task, TaskError

_HOMES = {
    "maker_dsl.providers.port": ("ProviderError",),
    "maker_dsl.plugins.allowed": ("PluginMissing",),
    "maker_dsl.providers.open": ("ProfileError",),
    "maker_dsl.language": ("FileProblem",),
    "maker_dsl.journal.errors": ("JournalError",),
    "maker_dsl.compiler.binding": ("InputRefused",),
    "maker_dsl.choosing": ("ProfileRefused", "Refused"),
    "maker_dsl.api": (
        "TaskRefused",
        "check",
        "diagnostics_of",
        "explain",
        "judge",
        "load",
        "loads",
        "render",
        "resume",
        "run",
        "status",
        "verify",
    ),
    "maker_dsl.diagnostics": ("Diagnostic",),
    "maker_dsl.engine.report": ("RunReport", "Status"),
    "maker_dsl.engine.settings": (
        "SettingsRefused",
        "RunOptions",
    ),
    "maker_dsl.engine.story": (
        "RunsStory",
        "StepMissing",
        "StepStory",
    ),
    "maker_dsl.engine.verification": ("Verification",),
    "maker_dsl.judging": ("Flag", "Verdict", "Vote"),
    "maker_dsl.task": (
        "TaskError",
        "Task",
    ),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "Diagnostic",
    "FileProblem",
    "Flag",
    "InputRefused",
    "JournalError",
    "PluginMissing",
    "ProfileError",
    "ProfileRefused",
    "ProviderError",
    "Refused",
    "RunOptions",
    "RunReport",
    "RunsStory",
    "SettingsRefused",
    "Status",
    "StepMissing",
    "StepStory",
    "Task",
    "TaskError",
    "TaskRefused",
    "Verdict",
    "Verification",
    "Vote",
    "__version__",
    "check",
    "diagnostics_of",
    "explain",
    "judge",
    "load",
    "loads",
    "render",
    "resume",
    "run",
    "status",
    "verify",
]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
