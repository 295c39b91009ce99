"""What a step costs, by part: 20 disks of Hanoi, ahead by 4, every reply right, the model simulated in process.

    python benchmarks/step_cost.py [--steps 3000] [--disks 20] [--ahead-by 4]

CPU time in chunks of 50 steps, of which the fastest tenth counts: what the code costs where other work on the machine
doesn't disturb it. The parts are measured one by one over the states of a run, the whole by running it; the rest is the
difference.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from million import hanoi

from maker_dsl.engine.ballot import Ballot
from maker_dsl.engine.encoding import encode
from maker_dsl.engine.records import CallRecord, DecisionRecord, ReplyRecord
from maker_dsl.engine.report import RunHandle
from maker_dsl.engine.run_state import hash_state
from maker_dsl.engine.settings import RunOptions
from maker_dsl.engine.start import ProviderSetup, start_run
from maker_dsl.journal import Journal, RealDisk
from maker_dsl.judging import Vote, judge
from maker_dsl.providers.port import Draw, Question, Request
from maker_dsl.simulation.provider import SimulatedProvider
from maker_dsl.simulation.rates import Rates
from maker_dsl.task import RawReply, State, Task
from maker_dsl.tokens import estimate_tokens

CHUNK = 50


def fast_us(chunks_s: list[float]) -> float:
    """A step's cost in the fastest tenth of the chunks, in microseconds."""
    return sorted(chunks_s)[len(chunks_s) // 10] / CHUNK * 1e6


def part_us(action: Callable[[int], object], steps: int) -> float:
    """What `action` costs, done for every step."""
    chunks_s = []
    for start in range(0, steps - CHUNK + 1, CHUNK):
        began_s = time.process_time()
        for index in range(start, start + CHUNK):
            action(index)
        chunks_s.append(time.process_time() - began_s)
    return fast_us(chunks_s)


class Chunks:
    """Watches a run and notes what each chunk of its steps took."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self._began_s = 0.0

    def started(self, run: RunHandle) -> None:
        """The clock starts."""
        self._began_s = time.process_time()

    def decided(self, decision: DecisionRecord) -> None:
        """Every chunk, look at the clock."""
        if decision.step % CHUNK == CHUNK - 1:
            now_s = time.process_time()
            self.seconds.append(now_s - self._began_s)
            self._began_s = now_s

    def told(self, text: str) -> None:
        """Nothing to do."""


def states_of(task: Task, count: int) -> tuple[list[State], list[RawReply], list[Vote]]:
    """The first states of a right run, the right replies to them and their verdicts."""
    states, replies, votes = [], [], []
    state = task.initial_state
    for _ in range(count):
        step = task.next_step(state)
        assert step.reference is not None
        text = step.reply.render(step.reference(state))
        raw = RawReply(text, estimate_tokens(text), "stop")
        vote = judge(task, step, state, step.state_locals(state), raw)
        assert isinstance(vote, Vote)
        states.append(state)
        replies.append(raw)
        votes.append(vote)
        state = vote.state
    return states, replies, votes


def whole_us(task: Task, steps: int, margin: int) -> float:
    """A step of a run, journal and snapshots on disk included."""
    chunks = Chunks()
    setup = ProviderSetup(SimulatedProvider(task, Rates(), seed=1))
    with tempfile.TemporaryDirectory() as runs:
        asked = RunOptions(ahead_by=margin, max_steps=steps)
        asyncio.run(start_run(task, setup, asked, Path(runs), observer=chunks))
    return fast_us(chunks.seconds)


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--steps", type=int, default=3000)
    options.add_argument("--disks", type=int, default=20)
    options.add_argument("--ahead-by", type=int, default=4)
    given = options.parse_args()
    steps, margin = given.steps, given.ahead_by
    task = hanoi(given.disks)
    states, replies, votes = states_of(task, steps)
    (step,) = task.steps
    prompts = [step.render(state, step.state_locals(state)) for state in states]
    provider = SimulatedProvider(task, Rates(), seed=1)
    first, others = (Draw(0, 0),), tuple(Draw(slot, 0) for slot in range(1, margin))
    places = tuple((draw.slot, 0) for draw in others)

    def render(index: int) -> None:
        step.render(states[index], step.state_locals(states[index]))

    def choose(index: int) -> None:
        task.is_done(states[index])
        task.next_step(states[index])

    def draw(index: int) -> None:
        question = Question(index, step, states[index])
        for temperature, draws in ((0.0, first), (0.1, others)):
            call = provider.complete(Request(question, prompts[index], temperature, None, draws))
            try:
                call.send(None)
            except StopIteration:
                continue

    def judging(index: int) -> None:
        judge(task, step, states[index], step.state_locals(states[index]), replies[index])

    def voting(index: int) -> None:
        ballot = Ballot(margin)
        for slot in range(margin):
            ballot.fill(slot, votes[index].key)

    def hashing(index: int) -> None:
        hash_state(task.state_codec.dump(votes[index].state))

    with tempfile.TemporaryDirectory() as directory:
        journal = Journal.create(Path(directory), "benchmark", RealDisk())

        def journaling(index: int) -> None:
            raw, vote, usage = replies[index], votes[index], (400, 60, 0)
            new = (ReplyRecord(raw.finish, raw.tokens, raw.text, vote.key),)
            journal.append(*encode(CallRecord(index, ((0, 0),), 0.0, "ok", new, (0,), usage, 0.0)))
            journal.append(*encode(CallRecord(index, places, 0.1, "ok", (), (0,) * len(places), usage, 0.0)))
            journal.append(*encode(DecisionRecord(index, "move", vote.key, 0, ((0, margin),), margin, "0" * 32)))
            journal.flush()

        parts = {
            "choose the step kind": part_us(choose, steps),
            "render the prompt": part_us(render, steps),
            "draw (the simulated model)": part_us(draw, steps),
            "judge (once: replies are equal)": part_us(judging, steps),
            "vote": part_us(voting, steps),
            "hash the new state": part_us(hashing, steps),
            "journal (three records, written)": part_us(journaling, steps),
        }
        journal.close()
    whole = whole_us(task, steps, margin)
    parts["the rest (gateway, fold, loop)"] = whole - sum(parts.values())
    for name, cost_us in parts.items():
        print(f"{name:<34}{cost_us:8.1f} µs  {cost_us / whole:5.0%}")
    print(f"{'a step':<34}{whole:8.1f} µs")


if __name__ == "__main__":
    main()
