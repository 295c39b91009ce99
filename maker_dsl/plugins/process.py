"""A plug-in's process as this process sees it: started when it is first needed, killed when a call takes too long.

Used by `plugins.allowed`. Calls wait: a checker stands in the middle of the judgement of a reply.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from weakref import finalize

from maker_dsl.expressions.errors import CheckerTimeout, EvaluationError
from maker_dsl.plugins.wire import dump, load
from maker_dsl.task import PluginBroken, Value

START_LIMIT_S = 60.0
"""How long a plug-in may take to be loaded."""

MOST_REMEMBERED = 4_096
"""Answers of one plug-in that are kept: the same reply is often judged again."""

LONGEST_CALL = 1_000_000
"""How many characters the arguments of one call may have together."""


_GONE = "its process ended, or wrote something else than answers"


@dataclass(frozen=True, slots=True)
class Offer:
    """What a plug-in offers: its version, and its checkers with the types of their parameters and results."""

    version: str
    limit_s: float
    functions: Mapping[str, tuple[tuple[str, ...], str]]


class PluginProcess:
    """One plug-in. Not for several threads at once: calls wait for each other."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._process: subprocess.Popen[str] | None = None
        self._offer: Offer | None = None
        self._answers: dict[str, list[Any]] = {}
        self._lock = threading.Lock()

    @property
    def offer(self) -> Offer:
        """What it offers; starts it if need be. Raises PluginBroken."""
        with self._lock:
            if self._offer is None:
                self._start()
            assert self._offer is not None
            return self._offer

    def call(self, function: str, arguments: tuple[Value, ...]) -> Value:
        """What a checker says. Raises EvaluationError where it can't say, CheckerTimeout where it takes too long."""
        question = dump([function, list(arguments)])
        if len(question) > LONGEST_CALL:
            raise EvaluationError(f"`{function}` is given {len(question):,} characters; at most {LONGEST_CALL:,} go")
        with self._lock:
            answer = self._answers.get(question)
            if answer is None:
                answer = self._ask(function, question)
                if len(self._answers) >= MOST_REMEMBERED:
                    self._answers.clear()
                self._answers[question] = answer
        kind, value = answer
        if kind == "value":
            return value
        if kind == "cannot":
            raise EvaluationError(f"`{function}` can't say: {value}")
        raise EvaluationError(f"`{function}` of the plug-in `{self._name}` failed: {value}")

    def _ask(self, function: str, question: str) -> list[Any]:
        if self._process is None:
            self._start()
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._offer is not None
        limit_s = self._offer.limit_s
        try:
            self._process.stdin.write(question + "\n")
            self._process.stdin.flush()
            answer = self._read(limit_s)
        except BrokenPipeError:
            answer = None
        except TimeoutError:
            self._stop()
            raise CheckerTimeout(f"`{function}` took longer than {limit_s:g} s") from None
        if answer is None:
            self._stop()
            return ["failed", _GONE]
        return answer

    def _start(self) -> None:
        # `-P` keeps the working directory out: a file that lies beside a task is not code of ours.
        command = [sys.executable, "-P", "-m", "maker_dsl.plugins.worker", self._name]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
        )
        finalize(self, _end, self._process)
        try:
            first = self._read(START_LIMIT_S)
        except TimeoutError:
            first = ["broken", f"it was not ready after {START_LIMIT_S:g} seconds"]
        if first is None or first[0] != "ready":
            self._stop()
            raise PluginBroken(_GONE if first is None else str(first[1]))
        said = first[1]
        functions = {name: (tuple(types), result) for name, (types, result) in said["functions"].items()}
        self._offer = Offer(str(said["version"]), float(said["limit_s"]), functions)

    def _read(self, limit_s: float) -> list[Any] | None:
        """The next line; None where the process has ended or the line is no answer. Raises TimeoutError."""
        assert self._process is not None
        stdout = self._process.stdout
        assert stdout is not None
        # A timer that kills is the one way to wait that works for pipes on every system.
        late = threading.Event()
        process = self._process

        def give_up() -> None:
            late.set()
            process.kill()

        timer = threading.Timer(limit_s, give_up)
        timer.daemon = True
        timer.start()
        try:
            line = stdout.readline()
        except UnicodeDecodeError:
            line = ""
        finally:
            timer.cancel()
        if late.is_set():
            raise TimeoutError
        return _answer(line)

    def _stop(self) -> None:
        if self._process is not None:
            _end(self._process)
            self._process = None


def _answer(line: str) -> list[Any] | None:
    """A line as an answer: its kind and what it says. None where the plug-in wrote something else in its place."""
    if not line.endswith("\n"):
        return None
    try:
        answer = load(line)
    except (ValueError, ArithmeticError, RecursionError):
        return None
    is_answer = isinstance(answer, list) and len(answer) == 2 and isinstance(answer[0], str)
    return answer if is_answer else None


def _end(process: subprocess.Popen[str]) -> None:
    process.kill()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            # Closing writes what is still waiting, which nobody may read any more.
            with suppress(OSError):
                pipe.close()
    process.wait()
