"""How commands end: the exit codes that scripts rely on, and the exception that carries one out of a command."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """The documented exit codes."""

    DONE = 0
    """Done, or accepted."""
    NOT_DONE = 1
    """Undecided, a limit reached, rejected, a mismatch, a run that can't be used."""
    WRONG = 2
    """The task or the profile is wrong."""
    USAGE = 3
    """Wrong usage of the command line."""
    BUG = 70
    """Our bug."""
    INTERRUPTED = 130
    """Interrupted; the line to go on was printed."""


class Leave(Exception):
    """Ends a command with a code, once it has said all there is to say; `message` is printed to standard error."""

    def __init__(self, code: ExitCode, message: str | None = None) -> None:
        super().__init__(message or code.name)
        self.code = code
        self.message = message
