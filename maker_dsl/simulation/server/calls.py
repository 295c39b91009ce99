"""The server's record of its calls: counters, and on request a log with one JSON object per line.

The log holds nothing that depends on the time, so that two equal rehearsals write equal logs, and nothing of a call's
headers.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any, TextIO

import orjson


class CallRecord:
    """Counts calls and writes them down."""

    def __init__(self, log: Path | None = None) -> None:
        self._log: TextIO | None = None if log is None else log.open("a", encoding="utf-8", buffering=1)
        self._calls: Counter[str] = Counter()
        self._outcomes: Counter[str] = Counter()
        self._replies: Counter[str] = Counter()
        self._tokens: Counter[str] = Counter()
        self._number = 0

    def close(self) -> None:
        """Close the log."""
        if self._log is not None:
            self._log.close()

    def open_call(self) -> int:
        """The number of a new call, from 1."""
        self._number += 1
        return self._number

    def close_call(
        self,
        number: int,
        endpoint: str,
        prompt: str | None,
        status: int | None,
        outcome: str,
        kinds: tuple[str, ...] = (),
        input_tokens: int = 0,
        output_tokens: int = 0,
    ) -> None:
        """Record a call; `prompt` is the prompt's digest, status None a dropped connection."""
        self._calls[endpoint] += 1
        self._outcomes[outcome] += 1
        self._replies.update(kinds)
        self._tokens.update(input=input_tokens, output=output_tokens)
        if self._log is None:
            return
        line = {
            "n": number,
            "endpoint": endpoint,
            "prompt": prompt,
            "status": status,
            "outcome": outcome,
            "replies": kinds,
            "input_tokens": input_tokens,
            "output_tokens": output_tokens,
        }
        self._log.write(orjson.dumps(line).decode() + "\n")

    def counters(self) -> dict[str, Any]:
        """The counters so far."""
        return {
            "calls": self._calls.total(),
            "endpoints": dict(self._calls),
            "outcomes": dict(self._outcomes),
            "replies": dict(self._replies),
            "tokens": {"input": self._tokens["input"], "output": self._tokens["output"]},
        }
