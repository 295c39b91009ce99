"""What is said when something fails that is no bug of ours, and with which code the command ends."""

from __future__ import annotations

import errno

from maker_dsl.api import diagnostics_of
from maker_dsl.cli.exits import ExitCode
from maker_dsl.cli.output import say, say_diagnostics
from maker_dsl.engine.encoding import RecordUnreadable
from maker_dsl.engine.run_state import FoldError
from maker_dsl.journal.errors import JournalError, RunAmbiguous, RunNotFound
from maker_dsl.language import FileProblem
from maker_dsl.providers.port import PermanentError, ProviderError


def tell(error: Exception) -> ExitCode | None:
    """Say what happened; None for what must be a bug."""
    diagnostics = diagnostics_of(error)
    if diagnostics is not None:
        say_diagnostics(diagnostics)
        return ExitCode.WRONG
    match error:
        case RunNotFound() | RunAmbiguous():
            say(f"{error}")
            return ExitCode.USAGE
        case JournalError() | FoldError() | RecordUnreadable():
            say(f"{error}")
            return ExitCode.NOT_DONE
        case PermanentError():
            say(f"{error}; {error.help}" if error.help else f"{error}")
            return ExitCode.WRONG
        case ProviderError():
            say(f"{error}")
            return ExitCode.NOT_DONE
        case OSError() if error.errno in (errno.ENOSPC, errno.EIO, errno.EDQUOT):
            say(f"the output can't be written: {error.strerror}")
            return ExitCode.NOT_DONE
        case FileProblem():
            say(f"{error}; {error.hint}" if error.hint else f"{error}")
            return ExitCode.WRONG
        case _:
            return None
