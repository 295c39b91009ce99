"""Options that limit a run, the same for `maker run` and `maker resume`."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar

import click

from maker_dsl.engine.settings import MOST_DEPTH

F = TypeVar("F", bound=Callable[..., Any])

MOST = 2**63 - 1
"""The largest number that a journal holds."""


class _Usd(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    name = "USD"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            amount = float(value)
        except ValueError:
            amount = math.nan
        if not math.isfinite(amount) or amount < 0:
            self.fail(f"{value!r} is not an amount of money such as 2.50.", param, ctx)
        return amount


usd_type = _Usd()
"""An amount of money on the command line."""


def limit_options(command: F) -> F:
    """`--max-samples`, `--max-steps`, `--max-depth`, `--max-cost`."""
    for option in (
        click.option("--max-cost", type=usd_type, metavar="USD", help="Never spend more than this in all."),
        click.option(
            "--max-steps", type=click.IntRange(0, MOST), metavar="N", help="Steps decided before the run stops."
        ),
        click.option(
            "--max-depth",
            type=click.IntRange(0, MOST_DEPTH),
            metavar="N",
            help="Tasks that may stand above a sub-run. [default: 64]",
        ),
        click.option("--max-samples", type=click.IntRange(1, MOST), metavar="N", help="Samples for one step."),
    ):
        command = option(command)
    return command
