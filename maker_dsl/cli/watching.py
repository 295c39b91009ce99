"""What people see while a run goes on: a live display on a terminal, plain lines elsewhere, nothing when asked.

A thread looks at the run's progress now and then; the run itself only counts.
"""

from __future__ import annotations

import sys
import threading
import time
from typing import Protocol

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from maker_dsl.cli.output import count, say
from maker_dsl.engine.records import DecisionRecord
from maker_dsl.engine.report import Progress, RunHandle

LIVE_INTERVAL_S = 0.1
BAR_COLUMNS = 24
LINE_INTERVALS_S = (1.0, 2.0, 5.0, 10.0, 30.0)
"""When plain lines come: after these seconds, and then every last of them."""


class Watcher(Protocol):
    """An `engine.report.Observer` that shows what it sees between `open` and `close`."""

    def started(self, run: RunHandle) -> None: ...

    def decided(self, decision: DecisionRecord) -> None: ...

    def told(self, text: str) -> None: ...

    def close(self) -> None: ...


class Silent:
    """Shows nothing; remembers the run."""

    run: RunHandle | None = None

    def started(self, run: RunHandle) -> None:
        """Remember the run."""
        self.run = run

    def decided(self, decision: DecisionRecord) -> None:
        """Nothing to do."""

    def told(self, text: str) -> None:
        """Nothing to do."""

    def close(self) -> None:
        """Nothing to do."""


class _Threaded(Silent):
    """Shows the progress from a thread of its own."""

    def __init__(self) -> None:
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._began_s = 0.0
        self._first_step = 0

    def started(self, run: RunHandle) -> None:
        """Begin to show."""
        super().started(run)
        self._began_s = time.monotonic()
        self._first_step = run.progress.steps
        self._thread.start()

    def close(self) -> None:
        """Show the last of it and end."""
        self._closed.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _watch(self) -> None:
        raise NotImplementedError

    def _rate(self, progress: Progress) -> float:
        return (progress.steps - self._first_step) / max(time.monotonic() - self._began_s, 1e-6)


class PlainLines(_Threaded):
    """A line now and then, for logs."""

    def told(self, text: str) -> None:
        """Say it."""
        say(text)

    def _watch(self) -> None:
        assert self.run is not None
        intervals = list(LINE_INTERVALS_S)
        while not self._closed.wait(intervals.pop(0) if len(intervals) > 1 else intervals[0]):
            progress = self.run.progress
            say("  ".join(text for _, text in describe(progress, self._rate(progress))))


class LiveDisplay(_Threaded):
    """A bar and figures that are drawn over, ten times a second."""

    def __init__(self) -> None:
        super().__init__()
        self._untold: list[str] = []

    def told(self, text: str) -> None:
        """Say it above the bar, or when the display ends."""
        self._untold.append(text)

    def close(self) -> None:
        """Show the last of it and end."""
        super().close()
        for text in self._untold:
            say(text)

    def _watch(self) -> None:
        assert self.run is not None
        console = Console(stderr=True)
        with Live(console=console, auto_refresh=False, transient=True) as live:
            while not self._closed.wait(LIVE_INTERVAL_S):
                while self._untold:
                    console.print(self._untold.pop(0), markup=False, highlight=False, soft_wrap=True)
                progress = self.run.progress
                live.update(_draw(progress, self._rate(progress), console.width), refresh=True)


def make_watcher(quiet: bool) -> Watcher:
    """The display that suits where standard error goes."""
    if quiet:
        return Silent()
    return LiveDisplay() if sys.stderr.isatty() else PlainLines()


def describe(progress: Progress, steps_per_s: float) -> list[tuple[str, str]]:
    """The figures of a run, each with its name: step, speed, votes, flags, cost, time left."""
    of = "" if progress.expected_steps is None else f" of {progress.expected_steps:,}"
    figures = [("step", f"step {progress.steps:,}{of}"), ("speed", f"{steps_per_s:,.1f} steps/s")]
    if progress.steps:
        figures.append(("votes", f"{progress.votes / progress.steps:.2f} votes a step"))
    flags = sum(progress.flags.values())
    figures.append(("flags", count(flags, "flag")))
    if progress.retries:
        figures.append(("retries", count(progress.retries, "retry", "retries")))
    figures.append(("cost", cost_text(progress.cost_usd, progress.max_cost_usd)))
    if progress.expected_steps is not None and progress.steps > progress.expected_steps:
        figures.append(("left", "more than expected"))
    elif progress.expected_steps is not None and steps_per_s > 0:
        left = (progress.expected_steps - progress.steps) / steps_per_s
        figures.append(("left", f"{duration(left)} left"))
    return figures


def cost_text(cost_usd: float | None, max_cost_usd: float | None = None) -> str:
    """`$0.0123 of $5`, or that nobody knows the price."""
    if cost_usd is None:
        return "cost unknown"
    text = f"${cost_usd:,.4f}" if cost_usd < 100 else f"${cost_usd:,.2f}"
    return text if max_cost_usd is None else f"{text} of ${max_cost_usd:,.2f}"


def duration(seconds: float) -> str:
    """`42 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`."""
    whole = round(seconds)
    for size, name, smaller, smaller_name in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            rest = whole % size // smaller
            return f"{whole // size} {name}" + (f" {rest} {smaller_name}" if rest else "")
    return f"{whole} s" if seconds >= 10 else f"{seconds:.1f} s"


def _draw(progress: Progress, steps_per_s: float, width: int) -> Table:
    """One line of at most `width` columns: the figures, and a bar if there is room for it."""
    figures = "  ".join(text for _, text in describe(progress, steps_per_s))
    table = Table.grid(padding=(0, 2))
    line = Text(figures, no_wrap=True, overflow="ellipsis")
    if len(figures) + BAR_COLUMNS + 2 > width:
        table.add_row(line)
    else:
        is_open = progress.expected_steps is None
        table.add_row(
            ProgressBar(total=progress.expected_steps, completed=progress.steps, pulse=is_open, width=BAR_COLUMNS), line
        )
    return table
