"""What a step costs, by part: 20 disks of Hanoi, ahead by 4, every reply right, the model simulated in process.

    python benchmarks/step_cost.py [--steps 3000] [--disks 20] [--ahead-by 4]

CPU time, so that other work on the machine disturbs it little; the best of several rounds. The parts are measured one by one
over the states of a run, the whole by running it; the rest is the difference.
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
from maker_dsl.engine.fold import hash_state
from maker_dsl.engine.records import CallRecord, DecisionRecord, ReplyRecord, encode
from maker_dsl.engine.settings import RunOptions
from maker_dsl.engine.start import ProviderSetup, start_run
from maker_dsl.journal import Journal, RealDisk
from maker_dsl.judging import Vote, judge
from maker_dsl.providers.port import Draw, Question, Request
from maker_dsl.simulation.provider import SimulatedProvider
from maker_dsl.simulation.rates import Rates
from maker_dsl.task import Prompt, RawReply, State, Task

ROUNDS = 3


def best_us(run: Callable[[], object], count: int) -> float:
    """The least CPU time of one of `count` things that `run` does, in microseconds."""
    best = float("inf")
    for _ in range(ROUNDS):
        began_s = time.process_time()
        run()
        best = min(best, time.process_time() - began_s)
    return best / count * 1e6


def states_of(task: Task, count: int) -> tuple[list[State], list[RawReply], list[Vote]]:
    """The first states of a right run, the right replies to them and their verdicts."""
    states, replies, votes = [], [], []
    state = task.initial_state
    for _ in range(count):
        step = task.next_step(state)
        assert step.reference is not None
        text = step.reply.render(step.reference(state))
        raw = RawReply(text, len(text) // 4, "stop")
        vote = judge(task, step, state, step.state_locals(state), raw)
        assert isinstance(vote, Vote)
        states.append(state)
        replies.append(raw)
        votes.append(vote)
        state = vote.state
    return states, replies, votes


def whole_us(task: Task, steps: int, margin: int) -> float:
    """A step of a run, journal and snapshots on disk included."""

    def run() -> None:
        setup = ProviderSetup(SimulatedProvider(task, Rates(), seed=1))
        with tempfile.TemporaryDirectory() as runs:
            asyncio.run(start_run(task, setup, RunOptions(ahead_by=margin, max_steps=steps), Path(runs)))

    return best_us(run, steps)


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
    prompts: list[Prompt] = [step.render(state, step.state_locals(state)) for state in states]
    provider = SimulatedProvider(task, Rates(), seed=1)

    def render() -> None:
        for state in states:
            step.render(state, step.state_locals(state))

    def choose() -> None:
        for state in states:
            task.is_done(state)
            task.next_step(state)

    async def draws() -> None:
        first, others = (Draw(0, 0),), tuple(Draw(slot, 0) for slot in range(1, margin))
        for index, (state, prompt) in enumerate(zip(states, prompts, strict=True)):
            question = Question(index, step, state)
            await provider.complete(Request(question, prompt, 0.0, None, first))
            if others:
                await provider.complete(Request(question, prompt, 0.1, None, others))

    def judging() -> None:
        for state, raw in zip(states, replies, strict=True):
            judge(task, step, state, step.state_locals(state), raw)

    def voting() -> None:
        for vote in votes:
            ballot = Ballot(margin)
            for slot in range(margin):
                ballot.fill(slot, vote.key)

    def hashing() -> None:
        for vote in votes:
            hash_state(task.state_codec.dump(vote.state))

    def journaling() -> None:
        with tempfile.TemporaryDirectory() as directory:
            journal = Journal.create(Path(directory), "benchmark", RealDisk())
            others = tuple((slot, 0) for slot in range(1, margin))
            for index, (raw, vote) in enumerate(zip(replies, votes, strict=True)):
                new = (ReplyRecord(raw.finish, raw.tokens, raw.text, vote.key),)
                usage = (400, 60, 0)
                journal.append(*encode(CallRecord(index, ((0, 0),), 0.0, "ok", new, (0,), usage, 0.0)))
                zeros = (0,) * (margin - 1)
                journal.append(*encode(CallRecord(index, others, 0.1, "ok", (), zeros, usage, 0.0)))
                decision = DecisionRecord(index, "move", vote.key, 0, ((0, margin),), margin, "0" * 32)
                journal.append(*encode(decision))
                if index % 256 == 255:
                    journal.sync()
            journal.close()

    parts = {
        "choose the step kind": best_us(choose, steps),
        "render the prompt": best_us(render, steps),
        "draw (the simulated model)": best_us(lambda: asyncio.run(draws()), steps),
        "judge (once: replies are equal)": best_us(judging, steps),
        "vote": best_us(voting, steps),
        "hash the new state": best_us(hashing, steps),
        "journal (three records, syncs)": best_us(journaling, steps),
    }
    whole = whole_us(task, steps, margin)
    parts["the rest (gateway, fold, loop)"] = whole - sum(parts.values())
    for name, cost_us in parts.items():
        print(f"{name:<34}{cost_us:8.1f} µs  {cost_us / whole:5.0%}")
    print(f"{'a step':<34}{whole:8.1f} µs")


if __name__ == "__main__":
    main()
