"""From the gateway's attempts to the journal's calls.

Used by the step loop and handed to the gateway. A failed attempt goes to the journal at once; a successful one waits
for its replies, which the step loop judges first.
"""

from __future__ import annotations

from maker_dsl.engine.budget import RunBudget
from maker_dsl.engine.recorder import Recorder
from maker_dsl.engine.records import CallRecord
from maker_dsl.providers.ledger import Call


class RunLedger:
    """Takes the gateway's attempts: failed ones go to the journal, a successful one waits for its replies."""

    def __init__(self, recorder: Recorder, budget: RunBudget | None) -> None:
        self._recorder = recorder
        self._budget = budget
        self._answered: tuple[Call, tuple[float, int, int] | None] | None = None

    def __call__(self, call: Call) -> None:
        """Take note of one attempt."""
        unsettled = None if self._budget is None else self._budget.take_kept()
        kept = None if unsettled is None else unsettled.as_tuple()
        if call.outcome == "ok":
            self._answered = (call, kept)
            return
        request, usage = call.request, call.usage
        is_proof = request.phase == "proof"
        self._recorder.call(
            CallRecord(
                self._recorder.fold.run.root.index if is_proof else request.question.index,
                () if is_proof else tuple((draw.slot, draw.resample) for draw in request.draws),
                request.temperature,
                call.outcome,
                usage=None if usage is None else (usage.input_tokens, usage.output_tokens, usage.cached_input_tokens),
                cost_usd=call.cost_usd,
                reserved=kept,
                latency_s=round(call.latency_s, 3),
                message=call.message,
                sub=request.question.sub,
                wording=request.wording,
                voter=request.voter,
            )
        )
        self._recorder.flush()

    def take_answered(self) -> tuple[Call, tuple[float, int, int] | None]:
        """The attempt that has just been answered, and what it keeps reserved. No other can have come in between."""
        answered, self._answered = self._answered, None
        assert answered is not None
        return answered
