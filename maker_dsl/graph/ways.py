"""Which steps may follow which, without running anything.

For each step the facts that hold before it are carried through its `update`; a step that then can't apply doesn't
follow. The order of the steps counts: a step is taken where its `when` holds and none before it does.
"""

from __future__ import annotations

from collections.abc import Iterator

from maker_dsl.checker.checked import CheckedRunStep, CheckedStep, CheckedTask
from maker_dsl.graph.facts import ANYTHING, Facts, Knowledge, joined
from maker_dsl.graph.model import DONE, START

_ROUNDS = 400
"""Rounds of carrying facts on before all is taken to be possible."""


def possible_ways(checked: CheckedTask) -> frozenset[tuple[str, str]]:
    """All pairs of steps (or start, done) of which the second may follow the first."""
    before: dict[str, Facts] = {}
    ways: set[tuple[str, str]] = set()
    waiting: list[tuple[str, Facts]] = [(START, _initial(checked))]
    for _ in range(_ROUNDS):
        if not waiting:
            return frozenset(ways)
        source, facts = waiting.pop()
        for target, given in _followers(checked, facts):
            ways.add((source, target))
            if target == DONE:
                continue
            known = before.get(target)
            merged = given if known is None else joined(known, given)
            if known is None or merged != known:
                before[target] = merged
                step = next(one for one in checked.steps if one.name == target)
                waiting.append((target, _after(checked, step, merged)))
    names = [step.name for step in checked.steps]
    return frozenset((a, b) for a in (START, *names) for b in (*names, DONE))


def _initial(checked: CheckedTask) -> Facts:
    knowledge = Knowledge(checked.typing, {})
    return {one.name.name: knowledge.value(one.initial, {}) for one in checked.state.fields}


def _followers(checked: CheckedTask, facts: Facts) -> Iterator[tuple[str, Facts]]:
    """What may come in a state of which the facts hold, each with what then holds."""
    knowledge = Knowledge(checked.typing, {})
    done = knowledge.assume(checked.done.condition, True, facts)
    if done is not None:
        yield DONE, done
    rest = knowledge.assume(checked.done.condition, False, facts)
    for step in checked.steps:
        if rest is None:
            return
        taken = rest if step.when is None else knowledge.assume(step.when, True, rest)
        if taken is not None:
            yield step.name, taken
        rest = None if step.when is None else knowledge.assume(step.when, False, rest)


def _after(checked: CheckedTask, step: CheckedStep | CheckedRunStep, facts: Facts) -> Facts:
    """What holds after the step's update: facts about fields that it leaves alone, and what it assigns."""
    lets = {
        let.name: let.value for let in (*step.lets, *(step.result_lets if isinstance(step, CheckedRunStep) else ()))
    }
    knowledge = Knowledge(checked.typing, lets)
    if isinstance(step, CheckedStep):
        for check in step.checks:
            facts = knowledge.assume(check.condition, check.kind == "rule", facts) or facts
    values = {one.name.name: knowledge.value(one.value, facts) for one in step.update.assignments}
    fields = {one.name.name for one in checked.state.fields}
    kept = {
        path: fact
        for path, fact in facts.items()
        if path in fields - values.keys()
        or (path not in fields and not _words(path) & (values.keys() | {"reply"} | lets.keys()))
    }
    return {**kept, **{path: fact for path, fact in values.items() if fact != ANYTHING}}


def _words(text: str) -> set[str]:
    """The names in a condition, and perhaps more: words in its texts."""
    return set("".join(character if character.isalnum() or character == "_" else " " for character in text).split())
