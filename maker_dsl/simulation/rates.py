"""How often, and how, the simulated model fails: the `[simulate]` table of a profile, the options of `maker simulate`.

Used by the profile loader and the command line, which turn a `RateProblem` into a diagnostic of their own. All rates
are 0 unless set: a fault that nobody asked for does not occur.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from maker_dsl.diagnostics import did_you_mean

_NUMBER = r"[0-9]+(?:\.[0-9]*)?|\.[0-9]+"
_FIXED = re.compile(rf"\s*({_NUMBER})\s*")
_LOGNORMAL = re.compile(rf"\s*lognormal\s*\(\s*({_NUMBER})\s*,\s*({_NUMBER})\s*\)\s*")
_LONGEST_S = 3600.0
_WIDEST_SIGMA = 4.0
_STANDARD_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class Latency:
    """How long a reply takes: always `median_s`, or log-normally spread around it."""

    median_s: float
    sigma: float = 0.0

    @property
    def is_zero(self) -> bool:
        """Whether replies take no time at all."""
        return self.median_s == 0.0

    def at(self, quantile: float) -> float:
        """The latency in seconds below which that share (between 0 and 1, both excluded) of replies arrives."""
        if self.sigma == 0.0 or self.median_s == 0.0:
            return self.median_s
        return min(self.median_s * math.exp(self.sigma * _STANDARD_NORMAL.inv_cdf(quantile)), _LONGEST_S)


def parse_latency(text: str) -> Latency | None:
    """The latency written as `0.2` or `lognormal(0.2, 0.5)` (median in seconds, sigma); None if it is neither."""
    if fixed := _FIXED.fullmatch(text):
        latency = Latency(float(fixed[1]))
    elif spread := _LOGNORMAL.fullmatch(text):
        latency = Latency(float(spread[1]), float(spread[2]))
    else:
        return None
    return latency if latency.median_s <= _LONGEST_S and latency.sigma <= _WIDEST_SIGMA else None


def _check_share(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise PydanticCustomError("share", "expected a share from 0 to 1, found `{found}`", {"found": str(value)})
    return float(value)


def _check_latency(value: object) -> str:
    text = str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
    if not isinstance(text, str) or parse_latency(text) is None:
        raise PydanticCustomError(
            "latency",
            'expected seconds such as "0.2", or "lognormal(0.2, 0.5)" (median in seconds up to 3600, '
            "sigma up to 4), found `{found}`",
            {"found": str(value)},
        )
    return text


def _check_seed(value: object) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) >= 2**63:
        raise PydanticCustomError("seed", "expected a whole number of 64 bits, found `{found}`", {"found": str(value)})
    return value


Share = Annotated[float, BeforeValidator(_check_share)]


class Rates(BaseModel):
    """The settings of the simulated model.

    A reply is wrong, malformed, overlong, truncated or, with what is left, right; a call is refused (429), fails (500),
    is dropped or, with what is left, succeeds.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    wrong: Share = 0.0
    malformed: Share = 0.0
    overlong: Share = 0.0
    truncated: Share = 0.0
    error_429: Share = 0.0
    error_500: Share = 0.0
    dropped: Share = 0.0
    agree: Share = 0.0
    """The share of the wrong replies to one question that give the same wrong answer."""
    latency: Annotated[str, BeforeValidator(_check_latency)] = "0"
    seed: Annotated[int | None, BeforeValidator(_check_seed)] = None
    """Where all chance comes from; None leaves it to the run."""

    @model_validator(mode="after")
    def _check_sums(self) -> Rates:
        for names in (("wrong", "malformed", "overlong", "truncated"), ("error_429", "error_500", "dropped")):
            total = math.fsum(getattr(self, name) for name in names)
            if total > 1 + 1e-9:
                raise PydanticCustomError(
                    "sum",
                    "{names} add up to {total}, more than 1",
                    {"names": ", ".join(f"`{name}`" for name in names), "total": f"{total:g}"},
                )
        return self

    @property
    def delay(self) -> Latency:
        """What `latency` says."""
        return parse_latency(self.latency) or Latency(0.0)

    def describe(self) -> str:
        """The rates that are not zero, on one line, for the screen; `no faults` when there is none."""
        rates = self.model_dump(exclude={"latency", "seed"})
        named = [f"{name} {rate:g}" for name, rate in rates.items() if rate]
        if not self.delay.is_zero:
            named.append(f"latency {self.latency}")
        return ", ".join(named) or "no faults"


@dataclass(frozen=True, slots=True)
class RateProblem:
    """What is wrong with a setting: its key (None when several do not fit together), why, what to do."""

    key: str | None
    message: str
    help: str | None = None


def read_rates(settings: Mapping[str, object]) -> Rates | tuple[RateProblem, ...]:
    """The rates that the settings of a `[simulate]` table give, or all that is wrong with them."""
    try:
        return Rates.model_validate(dict(settings))
    except ValidationError as error:
        return tuple(_problem(str(e["loc"][0]) if e["loc"] else None, e["type"], e["msg"]) for e in error.errors())


def _problem(key: str | None, kind: str, message: str) -> RateProblem:
    if kind != "extra_forbidden" or key is None:
        return RateProblem(key, message)
    known = ", ".join(f"`{name}`" for name in Rates.model_fields)
    return RateProblem(key, f"unknown setting `{key}`", did_you_mean(key, Rates.model_fields, f"known are {known}"))
