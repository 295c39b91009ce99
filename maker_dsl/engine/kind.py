"""What is the same for all steps of a kind: its margin, its limit, and how its samples are grouped into calls.

Used by the step loop; made once per run.
"""

from __future__ import annotations

from maker_dsl.engine.records import PolicyRecord
from maker_dsl.providers.port import Draw
from maker_dsl.task import Step

Draws = tuple[float | None, tuple[Draw, ...]]
"""What one call asks for: a temperature, and the samples."""


class Kind:
    """What is the same for all steps of a kind."""

    __slots__ = ("first_temperature", "margin", "max_samples", "max_tokens", "opening", "slots", "step", "temperature")

    def __init__(self, step: Step, policy: PolicyRecord, samples_per_call: int, in_flight: int | None) -> None:
        self.step = step
        self.margin = int(policy.ahead_by.value or 1)
        self.max_samples = int(policy.max_samples.value or 1)
        self.max_tokens = max_tokens_of(policy)
        self.first_temperature = policy.first_temperature.value
        self.temperature = policy.temperature.value
        self.slots = max(self.margin, in_flight or 0)
        draws = [Draw(slot, 0) for slot in range(min(self.slots, self.max_samples))]
        self.opening = self.grouped(draws, samples_per_call)

    def grouped(self, draws: list[Draw], samples_per_call: int) -> tuple[Draws, ...]:
        """Draws as calls: those of one temperature together, up to what one call may ask for, in slot order."""
        first = [draw for draw in draws if self.temperature_of(draw) == self.first_temperature]
        others = [draw for draw in draws if self.temperature_of(draw) != self.first_temperature]
        return tuple(
            (temperature, tuple(group[start : start + samples_per_call]))
            for temperature, group in ((self.first_temperature, first), (self.temperature, others))
            for start in range(0, len(group), samples_per_call)
        )

    def temperature_of(self, draw: Draw) -> float | None:
        """The first sample of a step at the first temperature; a redraw there would only repeat itself."""
        return self.first_temperature if draw.slot == 0 and draw.resample == 0 else self.temperature


def max_tokens_of(policy: PolicyRecord) -> int | None:
    """The tokens that a reply of the kind may have; None where nobody said, or the record is of before kinds had it."""
    said = None if policy.max_tokens is None else policy.max_tokens.value
    return None if said is None else int(said)
