"""What a calibration leaves behind: the file that `maker calibrate -o` writes and `maker plan` takes.

Checked by pydantic on reading. Invariant: a later version of maker reads the files of earlier ones; new members come
with a default, and a change of meaning with a new number of the format.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

FORMAT = 1
"""The newest version of the file that this maker writes and reads."""


class CalibrationUnreadable(Exception):
    """A file that is no calibration, or not one that this maker can read; the message says why."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class Estimate(_Part):
    """A figure as it was measured, and where it lies, at the calibration's level."""

    value: float
    low: float
    high: float

    @model_validator(mode="after")
    def _ordered(self) -> Estimate:
        if not self.low <= self.value <= self.high:
            raise ValueError("`value` must lie between `low` and `high`")
        return self


class ShareEstimate(Estimate):
    """A share: all of it between 0 and 1."""

    @model_validator(mode="after")
    def _share(self) -> ShareEstimate:
        if not (self.low >= 0 and self.high <= 1):
            raise ValueError("a share lies between 0 and 1")
        return self


class AmountEstimate(Estimate):
    """An amount that is never negative."""

    @model_validator(mode="after")
    def _amount(self) -> AmountEstimate:
        if self.low < 0:
            raise ValueError("it can't be less than 0")
        return self


class VoteTally(_Part):
    """An answer to a state, and how many samples voted for it."""

    value: Any
    votes: int = Field(ge=0)
    right: bool


class StateTally(_Part):
    """What came of one state."""

    origin: str
    """Where the state is from, in words."""
    task: str
    step: str
    state: dict[str, Any]
    samples: int = Field(ge=0)
    votes: int = Field(ge=0)
    right: int = Field(ge=0)
    answers: tuple[VoteTally, ...] = ()
    flags: dict[str, int] = Field(default_factory=dict)
    systematic: bool = False
    """Its wrong answers win: chance can't explain them."""

    @model_validator(mode="after")
    def _adds_up(self) -> StateTally:
        if not self.right <= self.votes <= self.samples:
            raise ValueError("`right` must be at most `votes`, and `votes` at most `samples`")
        return self


class FlagTally(_Part):
    """How often a flag was raised, and how many of the discarded replies had the right answer."""

    raised: int = Field(ge=0)
    hit_right: int | None = None
    """None where nobody knows the right answer."""


class Calibration(_Part):
    """How a model did on a task's steps."""

    format: int
    maker: str = ""
    task: str
    provider: str
    model: str | None = None
    seed: int | None = None
    truth: Literal["reference", "agreement"]
    """What counts as right: the task's reference, or the answer that most samples of a state agree on."""
    source: str = ""
    expected_steps: int | None = Field(default=None, ge=1)
    level: float = Field(default=0.95, gt=0, lt=1)
    p: ShareEstimate
    passing: ShareEstimate
    tokens_in: AmountEstimate | None = None
    tokens_out: AmountEstimate | None = None
    latency_s: AmountEstimate | None = None
    cost_usd: AmountEstimate | None = None
    """Of one sample."""
    price_in: float | None = Field(default=None, ge=0)
    price_out: float | None = Field(default=None, ge=0)
    """USD per million tokens."""
    design_effect: float = Field(default=1.0, ge=1.0)
    errors_agree: float | None = None
    flags: dict[str, FlagTally] = Field(default_factory=dict)
    states: tuple[StateTally, ...] = ()

    @property
    def systematic(self) -> tuple[StateTally, ...]:
        """The states that can't be voted right."""
        return tuple(state for state in self.states if state.systematic)


def read_calibration(path: Path) -> Calibration:
    """A calibration from its file. Raises CalibrationUnreadable."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise CalibrationUnreadable(f"it can't be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise CalibrationUnreadable("it is not UTF-8 text") from error
    try:
        found = Calibration.model_validate_json(text)
    except ValidationError as error:
        raise CalibrationUnreadable(_first_problem(error)) from error
    if not 1 <= found.format <= FORMAT:
        raise CalibrationUnreadable(f"it has format {found.format}, and this maker reads formats 1 to {FORMAT}")
    return found


def calibration_text(calibration: Calibration) -> str:
    """The text of a calibration's file."""
    return calibration.model_dump_json(indent=1) + "\n"


def _first_problem(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    said = str(first["msg"]).removeprefix("Value error, ")
    return f"`{place}`: {said}" if place else said
