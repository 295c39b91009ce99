"""The process of one plug-in: `python -m maker_dsl.plugins.worker NAME`, spoken to by `plugins.process`.

Reads one call a line, `["function", [arguments]]`, and writes one answer a line: `["value", x]`, `["cannot", why]` or
`["failed", why]`. The first line that it writes says what the plug-in offers: `["ready", {…}]` or `["broken", why]`.
Whatever the plug-in prints goes to standard error, which nobody reads.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TextIO

from maker_dsl.plugins.discovery import entry_point
from maker_dsl.plugins.plugin import CannotJudge, CheckerPlugin
from maker_dsl.plugins.signature import NoSignature, signature_of
from maker_dsl.plugins.wire import NoPlainValue, dump, load

MAX_MEMORY_BYTES = 4 << 30

LONGEST_VERSION = 100
"""Characters of a plug-in's version."""

LONGEST_CALL_S = 3_600
"""How long a plug-in may allow one call to take."""

LONGEST_MESSAGE = 500
"""Characters of what a plug-in says when it can't judge or fails."""


def main(name: str) -> None:
    """Serve calls until standard input ends."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    _limit_memory()
    try:
        plugin = _load(name)
        offered = {key: _offered(key, function) for key, function in plugin.functions.items()}
    except ImportError as error:
        _say(answers, ["broken", f"{error}; are the packages that it needs installed?"])
        return
    except NoSignature as error:
        _say(answers, ["broken", str(error)])
        return
    except Exception as error:
        _say(answers, ["broken", _plain(f"{type(error).__name__}: {error}")])
        return
    _say(answers, ["ready", {"version": plugin.version, "limit_s": plugin.time_limit_s, "functions": offered}])
    for line in sys.stdin:
        function, arguments = load(line)
        _say(answers, _called(plugin, function, arguments))


def _offered(name: str, function: Callable[..., object]) -> list[Any]:
    try:
        return list(signature_of(function))
    except NoSignature as error:
        raise NoSignature(f"its function `{name}` is no checker: {error}") from error


def _load(name: str) -> CheckerPlugin:
    found = entry_point(name)
    if found is None:
        raise ImportError(f"no installed package has a plug-in `{name}`")
    plugin = found.load()
    if not isinstance(plugin, CheckerPlugin):
        raise TypeError(f"the entry point names a value of type `{type(plugin).__name__}`, not a CheckerPlugin")
    if not (
        isinstance(plugin.version, str) and plugin.version.isprintable() and len(plugin.version) <= LONGEST_VERSION
    ):
        raise TypeError(f"its version is no text of one line and at most {LONGEST_VERSION} characters")
    limit_s = plugin.time_limit_s
    if not (isinstance(limit_s, int | float) and 0 < limit_s <= LONGEST_CALL_S):
        raise ValueError(f"its time limit is no number of seconds above 0 and up to {LONGEST_CALL_S:,}")
    return plugin


def _called(plugin: CheckerPlugin, function: str, arguments: list[Any]) -> list[Any]:
    try:
        value = plugin.functions[function](*arguments)
        dump(value)
    except CannotJudge as error:
        return ["cannot", _plain(error)]
    except NoPlainValue as error:
        return ["failed", f"it gave {error}, which is no value of the language"]
    except RecursionError:
        return ["cannot", "it is nested too deeply"]
    except MemoryError:
        return ["cannot", "it takes too much memory"]
    except Exception as error:
        return ["failed", _plain(f"{type(error).__name__}: {error}")]
    return ["value", value]


def _plain(message: object) -> str:
    """What a plug-in says, as it may stand in a journal and on a screen: not endless, and without half characters."""
    text = str(message)
    text = text if len(text) <= LONGEST_MESSAGE else text[:LONGEST_MESSAGE] + "…"
    return text.encode("utf-8", "replace").decode("utf-8")


def _say(answers: TextIO, answer: list[Any]) -> None:
    answers.write(dump(answer) + "\n")
    answers.flush()


def _limit_memory() -> None:
    with suppress(ImportError, ValueError, OSError):
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        most = MAX_MEMORY_BYTES if hard == resource.RLIM_INFINITY else min(hard, MAX_MEMORY_BYTES)
        resource.setrlimit(resource.RLIMIT_AS, (most, hard))


if __name__ == "__main__":
    main(sys.argv[1])
