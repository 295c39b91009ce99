"""What is the same for all steps of a kind: its margin, its limit, and how its samples are grouped into calls.

Used by the step loop; made once per run.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable
from typing import NamedTuple

from maker_dsl.engine.constraints import Constraints
from maker_dsl.engine.gateways import Gateways
from maker_dsl.engine.records import PolicyRecord
from maker_dsl.engine.wordings import wording_of
from maker_dsl.providers.gateway import Gateway
from maker_dsl.providers.port import Completion, Draw, Request
from maker_dsl.task import Step


class Ask(NamedTuple):
    """What one call asks for. `thought` is the number of the one to be put into form, where it is about that."""

    temperature: float | None
    draws: tuple[Draw, ...]
    wording: int = 0
    thought: int | None = None


class Kind:
    """What is the same for all steps of a kind."""

    __slots__ = (
        "constraints",
        "first_temperature",
        "form_gateway",
        "form_grammar",
        "form_max_tokens",
        "form_temperature",
        "gateway",
        "grammar",
        "margin",
        "max_samples",
        "max_tokens",
        "opening",
        "slots",
        "step",
        "temperature",
        "wordings",
    )

    def __init__(
        self, step: Step, policy: PolicyRecord, gateways: Gateways, in_flight: int | None, max_tokens: int | None
    ) -> None:
        """`max_tokens` is the run's own limit on a reply, for records that have none for each kind."""
        self.step = step
        self.wordings = step.wordings
        self.gateway: Gateway = gateways.of(step.profile)
        self.margin = int(policy.ahead_by.value or 1)
        self.max_samples = int(policy.max_samples.value or 1)
        self.max_tokens = max_tokens_of(policy) or max_tokens
        self.first_temperature = policy.first_temperature.value
        self.temperature = policy.temperature.value
        self.form_gateway: Gateway | None = None
        self.form_temperature: float | None = None
        self.form_max_tokens: int | None = None
        self.grammar: str | None = None
        """What the replies are held to; thoughts never are."""
        self.form_grammar: str | None = None
        self.constraints: Constraints | None = None
        if step.formatting is not None:
            self.form_gateway = gateways.of(step.formatting.profile)
            if policy.form is not None:
                self.form_temperature = policy.form.temperature.value
                said = policy.form.max_tokens.value
                self.form_max_tokens = None if said is None else int(said)
        self.slots = max(self.margin, in_flight or 0)
        draws = [Draw(slot, 0) for slot in range(min(self.slots, self.max_samples))]
        self.opening = self.grouped(draws)

    def hold_to(self, constraints: Constraints) -> Kind:
        """Constrain the replies as far as that was proved; raises PermanentError where they must be and can't be."""
        self.constraints = constraints
        if self.form_gateway is None:
            self.grammar = constraints.grammar_of(self.gateway, self.step)
        else:
            self.form_grammar = constraints.grammar_of(self.form_gateway, self.step)
        return self

    def sample(self, request: Request) -> Awaitable[Completion]:
        """The answer to a call of the kind's; raises as `Gateway.sample`."""
        gateway = self.form_gateway if request.phase == "form" else self.gateway
        assert gateway is not None
        if request.grammar is None or self.constraints is None:
            return gateway.sample(request)
        return self.constraints.sample(gateway, self.step, request)

    def grouped(self, draws: list[Draw]) -> tuple[Ask, ...]:
        """Draws as calls, in slot order: those of one temperature and one wording together, as far as a call may go."""
        groups: dict[tuple[float | None, int], list[Draw]] = {}
        for draw in draws:
            wording = wording_of(draw.slot, draw.resample, len(self.wordings))
            groups.setdefault((self.temperature_of(draw), wording), []).append(draw)
        at_once = max(1, self.gateway.provider.samples_per_call)
        return tuple(
            Ask(temperature, tuple(group[start : start + at_once]), wording)
            for (temperature, wording), group in groups.items()
            for start in range(0, len(group), at_once)
        )

    def forms(self, pending: Iterable[tuple[Draw, int]]) -> tuple[Ask, ...]:
        """Thoughts to be put into form as calls: samples of the same thought together, as far as a call may go."""
        groups: dict[int, list[Draw]] = {}
        for draw, thought in pending:
            groups.setdefault(thought, []).append(draw)
        at_once = 1 if self.form_gateway is None else max(1, self.form_gateway.provider.samples_per_call)
        return tuple(
            Ask(self.form_temperature, tuple(group[start : start + at_once]), 0, thought)
            for thought, group in groups.items()
            for start in range(0, len(group), at_once)
        )

    def temperature_of(self, draw: Draw) -> float | None:
        """The first sample of a step at the first temperature; a redraw there would only repeat itself."""
        return self.first_temperature if draw.slot == 0 and draw.resample == 0 else self.temperature


def max_tokens_of(policy: PolicyRecord) -> int | None:
    """The tokens that a reply of the kind may have; None where nobody said, or the record is of before kinds had it."""
    said = None if policy.max_tokens is None else policy.max_tokens.value
    return None if said is None else int(said)
