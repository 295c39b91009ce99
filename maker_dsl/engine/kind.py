"""What is the same for all steps of a kind: its margin, its limit, and how its samples are grouped into calls.

Used by the step loop; made once per run.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable
from typing import NamedTuple

from maker_dsl.engine.constraints import Constraints
from maker_dsl.engine.gateways import Gateways
from maker_dsl.engine.records import PolicyRecord
from maker_dsl.engine.stopping import StoppingTable
from maker_dsl.engine.turns import turns_of
from maker_dsl.providers.gateway import Gateway
from maker_dsl.providers.port import Completion, Draw, Request
from maker_dsl.task import Step


class Ask(NamedTuple):
    """What one call asks for. `thought` is the number of the one to be put into form, where it is about that."""

    temperature: float | None
    draws: tuple[Draw, ...]
    wording: int = 0
    thought: int | None = None
    voter: int = 0


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
        "gateways",
        "grammars",
        "margin",
        "max_tokens",
        "opening",
        "slots",
        "step",
        "table",
        "temperature",
        "turns",
        "wordings",
    )

    def __init__(
        self,
        step: Step,
        policy: PolicyRecord,
        gateways: Gateways,
        in_flight: int | None,
        max_tokens: int | None,
        table: StoppingTable | None = None,
    ) -> None:
        """`max_tokens` is the run's own limit on a reply, for records that have none for each kind.

        `table` says when votes are over, where the kind goes by it.
        """
        self.step = step
        self.wordings = step.wordings
        self.turns = turns_of(policy)
        self.table = table
        self.gateway: Gateway = gateways.of(step.profile)
        first, *others = self.turns.profiles
        self.gateways: tuple[Gateway, ...] = (
            self.gateway if first is None or not policy.voters else gateways.named_so(first),
            *(gateways.named_so(name) for name in others),
        )
        """By voter."""
        self.margin = int(policy.ahead_by.value or 1)
        self.max_tokens = max_tokens_of(policy) or max_tokens
        self.first_temperature = policy.first_temperature.value
        self.temperature = policy.temperature.value
        self.form_gateway: Gateway | None = None
        self.form_temperature: float | None = None
        self.form_max_tokens: int | None = None
        self.grammars: tuple[str | None, ...] = (None,) * len(self.gateways)
        """What the replies are held to, by voter; thoughts never are."""
        self.form_grammar: str | None = None
        self.constraints: Constraints | None = None
        if step.formatting is not None:
            self.form_gateway = gateways.of(step.formatting.profile)
            if policy.form is not None:
                self.form_temperature = policy.form.temperature.value
                said = policy.form.max_tokens.value
                self.form_max_tokens = None if said is None else int(said)
        self.slots = max(self.turns.new_ballot(table).further_slots_needed(0), in_flight or 0)
        draws = [Draw(slot, 0) for slot in range(min(self.slots, self.turns.cap_of(0)))]
        self.opening = self.grouped(draws)

    def hold_to(self, constraints: Constraints) -> Kind:
        """Constrain the replies as far as that was proved; raises PermanentError where they must be and can't be."""
        self.constraints = constraints
        if self.form_gateway is None:
            self.grammars = tuple(constraints.grammar_of(gateway, self.step) for gateway in self.gateways)
        else:
            self.form_grammar = constraints.grammar_of(self.form_gateway, self.step)
        return self

    def sample(self, request: Request) -> Awaitable[Completion]:
        """The answer to a call of the kind's; raises as `Gateway.sample`."""
        gateway = self.form_gateway if request.phase == "form" else self.gateways[request.voter]
        assert gateway is not None
        if request.grammar is None or self.constraints is None:
            return gateway.sample(request)
        return self.constraints.sample(gateway, self.step, request)

    def grouped(self, draws: list[Draw], rung: int = 0) -> tuple[Ask, ...]:
        """Draws as calls, in slot order: those of one model, one temperature and one wording together, as far as a
        call may go.
        """
        turns = self.turns
        groups: dict[tuple[float | None, int, int], list[Draw]] = {}
        for draw in draws:
            wording = turns.wording_of(draw.slot, draw.resample, rung)
            voter = turns.voter_of(draw.slot, draw.resample, rung)
            groups.setdefault((self.temperature_of(draw), wording, voter), []).append(draw)
        asks: list[Ask] = []
        for (temperature, wording, voter), group in groups.items():
            at_once = max(1, self.gateways[voter].provider.samples_per_call)
            for start in range(0, len(group), at_once):
                asks.append(Ask(temperature, tuple(group[start : start + at_once]), wording, None, voter))
        return tuple(asks)

    def forms(self, pending: Iterable[tuple[Draw, int]], rung: int = 0) -> tuple[Ask, ...]:
        """Thoughts to be put into form as calls: samples of the same thought together, as far as a call may go.

        The vote is that of the model that thought.
        """
        groups: dict[tuple[int, int], list[Draw]] = {}
        for draw, thought in pending:
            voter = self.turns.voter_of(draw.slot, draw.resample, rung)
            groups.setdefault((thought, voter), []).append(draw)
        at_once = 1 if self.form_gateway is None else max(1, self.form_gateway.provider.samples_per_call)
        return tuple(
            Ask(self.form_temperature, tuple(group[start : start + at_once]), 0, thought, voter)
            for (thought, voter), group in groups.items()
            for start in range(0, len(group), at_once)
        )

    def temperature_of(self, draw: Draw) -> float | None:
        """The first sample of a step at the first temperature; a redraw there would only repeat itself."""
        return self.first_temperature if draw.slot == 0 and draw.resample == 0 else self.temperature


def max_tokens_of(policy: PolicyRecord) -> int | None:
    """The tokens that a reply of the kind may have; None where nobody said, or the record is of before kinds had it."""
    said = None if policy.max_tokens is None else policy.max_tokens.value
    return None if said is None else int(said)
