"""Several models that vote: `--order`, how they are told as a run starts, and how each of them has done."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import click

from maker_dsl.cli.wordings import share
from maker_dsl.engine.report import VoterReport
from maker_dsl.engine.settings import Planned
from maker_dsl.engine.start import ProviderSetup
from maker_dsl.providers.panel import ORDERS

F = TypeVar("F", bound=Callable[..., Any])


def order_option(command: F) -> F:
    """`--order rotate|cheapest`."""
    return click.option(
        "--order",
        type=click.Choice(ORDERS),
        help="Several models: in turn, or the cheapest until votes disagree. [default: the profile's, else rotate]",
    )(command)


def voter_lines(setup: ProviderSetup, planned: Planned) -> Iterator[str]:
    """Who votes in this run, what each one's votes weigh, and in which order they are asked."""
    if not planned.voters:
        return
    words = "in turn" if planned.order == "rotate" else "the first until votes disagree, then the others"
    yield f"  {len(planned.voters)} models vote, {words}:"
    weighed = {voter.weight for voter in planned.voters} != {1000}
    for voter in planned.voters:
        one = setup if voter.profile is None else setup.named[voter.profile]
        asked = str(one.profile.get("asked", one.provider.name))
        model = "" if asked == one.provider.name else f" ({one.provider.name})"
        weight = f", a vote counts {voter.weight / 1000:.3f}" if weighed else ""
        yield f"    {asked}{model}{weight}"
    if not weighed:
        yield "  all votes count the same: calibrations (--calibration) would say what each is worth"


def tally_lines(voters: Sequence[VoterReport]) -> Iterator[str]:
    """A line for each model, where several vote."""
    if voters:
        yield "models:"
    width = max((len(one.profile) for one in voters), default=0)
    weighed = any(one.weight not in (None, 1000) for one in voters)
    for one in voters:
        weight = f", a vote counts {one.weight / 1000:.3f}" if weighed and one.weight is not None else ""
        yield (
            f"  {one.profile:<{width}}  {one.samples:>9,} samples, "
            f"{share(one.flags, one.samples):>7} flagged, {share(one.lost, one.votes):>7} of votes lost{weight}"
        )
