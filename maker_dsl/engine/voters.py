"""Which models vote, in which order, and what each one's votes count: settled once, before a run begins.

Used where runs are begun. Pure. The first candidate is the run's own profile.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Literal

from maker_dsl.diagnostics import Diagnostic, Label, Source, Span
from maker_dsl.engine.calibration_file import Calibration
from maker_dsl.engine.records import VoterRecord
from maker_dsl.engine.settings import Planned, SettingsRefused
from maker_dsl.engine.start import ProviderSetup
from maker_dsl.engine.weights import VoterUnfit, weights_of
from maker_dsl.providers.port import Price


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model that is to vote: the name that the run has for it (None: its own), and what tells it from others."""

    profile: str | None
    asked: str
    model: str | None = None
    price: Price | None = None


def candidates_of(setup: ProviderSetup, names: Sequence[str]) -> tuple[Candidate, ...]:
    """The run's own model, and those that it knows by these names."""
    return tuple(
        Candidate(name, str(one.profile.get("asked", one.provider.name)), one.profile.get("model"), one.provider.price)
        for name, one in [(None, setup), *((name, setup.named[name]) for name in names)]
    )


def with_voters(
    planned: Planned,
    candidates: Sequence[Candidate],
    calibrations: Sequence[Calibration] = (),
    order: Literal["rotate", "cheapest"] = "rotate",
) -> Planned:
    """The plan, with its voters: `cheapest` puts those first that cost least. Raises SettingsRefused.

    With calibrations, each voter must have one, and its votes weigh what that says; without any, all weigh the same.
    """
    if len(candidates) < 2:
        return planned
    found = match_calibrations(candidates, calibrations) if calibrations else {}
    weights = {one.asked: 1000 for one in candidates}
    if found:
        try:
            weights = weights_of({name: calibration.p.low for name, calibration in found.items()})
        except VoterUnfit as error:
            help = "leave that model out, or measure more of its samples: `maker calibrate`"
            raise SettingsRefused(_refusal(f"`{error.voter}` can't vote: {error.why}", error.voter, help)) from None
    ordered = list(candidates)
    if order == "cheapest":
        costs = [_cost(one, found.get(one.asked), candidates, found) for one in candidates]
        ordered = [one for _, one in sorted(zip(costs, candidates, strict=True), key=lambda pair: pair[0])]
    voters = tuple(VoterRecord(one.profile, weights[one.asked]) for one in ordered)
    return replace(planned, voters=voters, order=order)


def match_calibrations(candidates: Sequence[Candidate], calibrations: Sequence[Calibration]) -> dict[str, Calibration]:
    """The calibration of each candidate, by what was asked for. Raises SettingsRefused unless each has just one."""
    found: dict[str, Calibration] = {}
    problems: list[Diagnostic] = []
    for calibration in calibrations:
        matching = _of(calibration, candidates)
        if matching is None:
            listed = ", ".join(f"`{one.asked}`" for one in candidates)
            help = f"leave it out; those that vote are {listed}"
            title = f"a calibration is of `{calibration.provider}`, which does not vote here"
            problems.append(_refusal(title, calibration.provider, help))
        elif matching.asked in found:
            help = "give the newer one alone"
            problems.append(_refusal(f"there are two calibrations of `{matching.asked}`", matching.asked, help))
        else:
            found[matching.asked] = calibration
    for one in candidates:
        if one.asked not in found and not problems:
            title = f"`{one.asked}` has no calibration, and others have: nobody knows what its votes weigh"
            help = f"measure it: `maker calibrate TASK --provider {one.asked} -o FILE`; or give no calibrations"
            problems.append(_refusal(title, one.asked, help))
    if problems:
        raise SettingsRefused(*problems)
    return found


def _of(calibration: Calibration, candidates: Sequence[Candidate]) -> Candidate | None:
    """The candidate that a calibration is of: the profile that was asked for, its name, or its model."""
    stem = PurePath(calibration.provider).stem
    by_name = [one for one in candidates if one.asked == calibration.provider and _may_be(one, calibration)] or [
        one for one in candidates if PurePath(one.asked).stem == stem and one.model == calibration.model
    ]
    by_model = [one for one in candidates if one.model is not None and one.model == calibration.model]
    return next((matching[0] for matching in (by_name, by_model) if len(matching) == 1), None)


def _may_be(one: Candidate, calibration: Calibration) -> bool:
    """Whether a profile of that name has the model that was measured, as far as anybody knows."""
    return None in (one.model, calibration.model) or one.model == calibration.model


def _cost(
    one: Candidate,
    calibration: Calibration | None,
    candidates: Sequence[Candidate],
    found: dict[str, Calibration],
) -> float:
    """What tells who is cheaper: a sample's measured cost where all have one, else the price of a token in and out."""
    if len(found) == len(candidates) and all(each.cost_usd is not None for each in found.values()):
        assert calibration is not None
        assert calibration.cost_usd is not None
        return calibration.cost_usd.value
    if one.price is None:
        help = "put its price into its profile ([price] with input and output), or let models take turns: `rotate`"
        title = f"nobody knows what `{one.asked}` costs, so which model is the cheapest can't be told"
        raise SettingsRefused(_refusal(title, one.asked, help))
    return one.price.input + one.price.output


def _refusal(title: str, quoted: str, help: str) -> Diagnostic:
    return Diagnostic("MK559", title, Label(Span(Source("--provider", quoted), 0, len(quoted))), help=help)
