"""One step: draw, judge, vote, until one key leads by the margin or the cap on samples is reached.

Used by the run loop; `Decider` holds what is the same for all steps, `voting.StepVote` what belongs to one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from maker_dsl.engine.constraints import Constraints
from maker_dsl.engine.fold import state_after
from maker_dsl.engine.frame import Frame
from maker_dsl.engine.gateways import Gateways
from maker_dsl.engine.kind import Kind
from maker_dsl.engine.ledger import RunLedger
from maker_dsl.engine.recorder import Recorder
from maker_dsl.engine.records import DecisionRecord
from maker_dsl.engine.run_state import hash_state
from maker_dsl.engine.settings import Keep
from maker_dsl.engine.voting import StepVote
from maker_dsl.task import State, Step


@dataclass(frozen=True, slots=True)
class Undecided:
    """A step whose samples are used up. Nothing won, and nothing may be passed off as having won."""

    step: int
    kind: str
    samples: int
    votes: Mapping[str, int]
    flagged: int
    place: str = ""
    """In words, the sub-run that the step is of."""

    @property
    def reason(self) -> str:
        """For the report: the votes as they stand."""
        ranked = sorted(self.votes.items(), key=lambda vote: -vote[1])
        shown = ", ".join(f"{count} for {_shortened(key)}" for key, count in ranked[:4]) or "none"
        more = f" and {len(ranked) - 4} more" if len(ranked) > 4 else ""
        return (
            f"{self.place}step {self.step + 1:,} ({self.kind}) is undecided after {self.samples} samples: "
            f"votes {shown}{more}; {self.flagged} replies flagged"
        )


class Decider:
    """Decides steps, of the run and of its sub-runs, each frame's one at a time.

    `in_flight` keeps at least so many slots of a step open at once; the margin by default.
    """

    def __init__(
        self,
        gateways: Gateways,
        constraints: Constraints,
        ledger: RunLedger,
        recorder: Recorder,
        *,
        max_tokens: int | None,
        keep: Keep,
        in_flight: int | None = None,
    ) -> None:
        self.gateways = gateways
        self.constraints = constraints
        self.ledger = ledger
        self.recorder = recorder
        self.max_tokens = max_tokens
        self.keep = keep
        self.answers_at_once = gateways.answer_at_once
        self._in_flight = in_flight
        self._kinds: dict[int, dict[str, Kind]] = {}
        """Of each frame that has decided a step."""

    def forget(self, frame: Frame) -> None:
        """A frame decides no further steps."""
        self._kinds.pop(frame.number, None)

    def _kinds_of(self, frame: Frame) -> dict[str, Kind]:
        kinds = self._kinds.get(frame.number)
        if kinds is None:
            assert frame.task is not None
            kinds = self._kinds[frame.number] = {
                step.name: Kind(
                    step,
                    frame.policies[step.name],
                    self.gateways,
                    self._in_flight,
                    self.max_tokens,
                    self.recorder.fold.run.table,
                ).hold_to(self.constraints)
                for step in frame.task.steps
            }
        return kinds

    async def decide(self, frame: Frame, step: Step, state: State) -> DecisionRecord | Undecided:
        """Decide the step that a frame stands at, going on from what is already drawn, and fold the decision.

        Raises BudgetExhausted, ProviderError, TaskError and what the journal raises. A cancellation abandons the calls
        under way; the replies that are in stay in the journal.
        """
        task, index = frame.task, frame.index
        assert task is not None
        vote = StepVote(self._kinds_of(frame)[step.name], frame, task, state, self.recorder, self.ledger, self.keep)
        opened = vote.opened
        if opened.ballot.decision is None:
            if self.answers_at_once:
                await vote.draw_in_turn()
            else:
                await vote.draw_together()
        won = opened.ballot.decision
        if won is None:
            flagged = sum(opened.flagged_by_slot.values())
            votes = dict(opened.ballot.votes)
            return Undecided(index, step.name, opened.samples, votes, flagged, frame.place())
        number = opened.winner()
        following = state_after(task, step, state, opened, number)
        decision = DecisionRecord(
            index,
            step.name,
            won.key,
            number,
            opened.counted_votes(),
            opened.samples,
            hash_state(task.state_codec.dump(following)),
            frame.number,
        )
        self.recorder.decision(decision, following)
        return decision


def _shortened(key: str, limit: int = 60) -> str:
    return key if len(key) <= limit else key[: limit - 1] + "…"
