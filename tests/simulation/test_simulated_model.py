"""What the simulated model draws: its rates, its independence, its wrong answers."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

import pytest
from simulation_lab import DOWN_BY_ONE, NOT_TOO_LONG, countdown, question, with_checks

from maker_dsl.judging import Flag, Verdict, Vote, judge
from maker_dsl.providers.port import Draw, PermanentError
from maker_dsl.simulation.model import Drawn, SimulatedModel, steps_without_reference
from maker_dsl.simulation.rates import Rates
from maker_dsl.task import RawReply, Task
from maker_dsl.tokens import cut_to_tokens, estimate_tokens

START = 5000


def draws(model: SimulatedModel, count: int, *, questions: int = 500) -> list[Drawn]:
    asked = [question(model.task, index, n=START - index) for index in range(questions)]
    return [model.draw(asked[number % questions], Draw(number // questions, 0)) for number in range(count)]


def verdict(task: Task, drawn: Drawn, n: int) -> Verdict:
    raw = RawReply(drawn.text, drawn.tokens, drawn.finish)
    return judge(task, task.steps[0], {"n": n}, {}, raw)


def assert_share(count: int, total: int, share: float) -> None:
    """The count lies within four standard deviations."""
    assert abs(count - total * share) <= 4 * (total * share * (1 - share)) ** 0.5 + 1e-9


def test_every_reply_is_right_unless_told_otherwise() -> None:
    model = SimulatedModel(countdown(START), Rates())
    assert {drawn.kind for drawn in draws(model, 2000)} == {"right"}
    drawn = model.draw(question(model.task, n=10), Draw(0, 0))
    assert (drawn.text, drawn.finish, drawn.tokens, drawn.latency_s) == ("next = 9", "stop", 3, 0.0)


@pytest.mark.parametrize("seed", [1, 2])
def test_rates_come_out_as_set(seed: int) -> None:
    rates = Rates(wrong=0.1, malformed=0.05, overlong=0.02, truncated=0.03, seed=seed)
    kinds = Counter(drawn.kind for drawn in draws(SimulatedModel(countdown(START), rates), 20_000))
    for kind, share in {"right": 0.8, "wrong": 0.1, "malformed": 0.05, "overlong": 0.02, "truncated": 0.03}.items():
        assert_share(kinds[kind], 20_000, share)  # type: ignore[index]


def test_a_rate_of_one_leaves_nothing_else() -> None:
    for kind in ("wrong", "malformed", "overlong", "truncated"):
        model = SimulatedModel(countdown(START), Rates.model_validate({kind: 1}))
        assert {drawn.kind for drawn in draws(model, 500)} == {kind}


def test_a_draw_depends_on_seed_step_slot_and_attempt_alone() -> None:
    rates = Rates(wrong=0.2, malformed=0.2, overlong=0.1, truncated=0.1, latency="lognormal(0.1, 1)")
    task = countdown(START)
    keys = [(index, Draw(slot, resample)) for index in range(40) for slot in range(4) for resample in range(2)]
    first = SimulatedModel(task, rates, 3)
    expected = {key: first.draw(question(task, key[0], n=START - key[0]), key[1]) for key in keys}
    shuffled = keys * 2
    random.Random(1).shuffle(shuffled)
    again = SimulatedModel(task, rates, 3)
    for key in shuffled:
        assert again.draw(question(task, key[0], n=START - key[0]), key[1]) == expected[key]
    other = SimulatedModel(task, rates, 4)
    assert any(other.draw(question(task, k[0], n=START - k[0]), k[1]) != expected[k] for k in keys)


def test_forgotten_questions_are_answered_the_same_again() -> None:
    rates = Rates(wrong=0.5)
    model = SimulatedModel(countdown(START), rates)
    first = draws(model, 1000, questions=1000)
    assert draws(model, 1000, questions=1000) == first


def test_slots_and_steps_fail_independently() -> None:
    model = SimulatedModel(countdown(START), Rates(wrong=0.3))
    both = next_step = 0
    count = 4000
    for index in range(count):
        here = [model.draw(question(model.task, index, n=START - index), Draw(slot, 0)).kind for slot in (0, 1)]
        after = model.draw(question(model.task, index + 1, n=START - index - 1), Draw(0, 0)).kind
        both += here == ["wrong", "wrong"]
        next_step += here[0] == after == "wrong"
    assert_share(both, count, 0.09)
    assert_share(next_step, count, 0.09)


def test_wrong_replies_pass_the_checks_where_that_is_possible() -> None:
    task = countdown(START)
    model = SimulatedModel(task, Rates(wrong=1))
    for index in range(200):
        n = START - index
        judged = verdict(task, model.draw(question(task, index, n=n), Draw(0, 0)), n)
        assert isinstance(judged, Vote)
        assert judged.key != str(n - 1)


def test_wrong_replies_are_flagged_where_the_rules_leave_no_other_answer() -> None:
    task = countdown(START, checks=(DOWN_BY_ONE,))
    model = SimulatedModel(task, Rates(wrong=1))
    for index in range(50):
        n = START - index
        judged = verdict(task, model.draw(question(task, index, n=n), Draw(0, 0)), n)
        assert isinstance(judged, Flag)
        assert judged.name == "goes down by one"


@pytest.mark.parametrize("agree", [0.0, 0.3, 0.9, 1.0])
def test_agree_is_the_share_of_the_same_wrong_answer(agree: float) -> None:
    task = countdown(START)
    model = SimulatedModel(task, Rates(wrong=1, agree=agree))
    same, count = 0, 0
    for index in range(20):
        asked = question(task, index, n=START - index)
        agreed = SimulatedModel(task, Rates(wrong=1, agree=1)).draw(asked, Draw(0, 0)).text
        texts = [model.draw(asked, Draw(slot, 0)).text for slot in range(150)]
        same += texts.count(agreed)
        count += len(texts)
    if agree:
        assert_share(same, count, agree)
    else:
        assert 0.05 < same / count < 0.4
    if agree < 1:
        assert len(set(texts)) >= 4


def test_the_agreed_answer_differs_from_step_to_step() -> None:
    task = countdown(START)
    model = SimulatedModel(task, Rates(wrong=1, agree=1))
    offsets = {
        int(model.draw(question(task, index, n=1000), Draw(0, 0)).text.removeprefix("next = ")) for index in range(30)
    }
    assert offsets == {998, 1000}


def test_mistakes_of_the_task_are_the_wrong_answers() -> None:
    task = countdown(START, mistakes=(lambda state: {"value": state["n"] - 1}, lambda state: {"value": state["n"] + 1}))
    model = SimulatedModel(task, Rates(wrong=1, agree=1))
    assert model.draw(question(task, n=70), Draw(0, 0)).text == "next = 71"


def test_several_mistakes_are_all_the_wrong_answers_there_are() -> None:
    task = countdown(
        START,
        mistakes=tuple(lambda state, by=by: {"value": state["n"] + by} for by in (3, 5, 7)),  # type: ignore[misc]
    )
    spread = SimulatedModel(task, Rates(wrong=1))
    counts = Counter(spread.draw(question(task, n=70), Draw(slot, 0)).text for slot in range(900))
    assert set(counts) == {"next = 73", "next = 75", "next = 77"}
    for count in counts.values():
        assert_share(count, 900, 1 / 3)
    agreed = SimulatedModel(task, Rates(wrong=1, agree=0.7))
    counts = Counter(agreed.draw(question(task, n=70), Draw(slot, 0)).text for slot in range(900))
    assert_share(counts["next = 73"], 900, 0.7)


def test_a_mistake_that_votes_for_the_right_answer_is_none() -> None:
    def even(value: dict[str, int]) -> str:
        return str(value["value"] // 2)

    task = countdown(START, mistakes=(lambda state: {"value": state["n"] - 2}, lambda state: {"value": state["n"] + 7}))
    step = replace(task.steps[0], vote_key=even)
    task = replace(task, steps=(step,), next_step=lambda state: step)
    model = SimulatedModel(task, Rates(wrong=1, agree=1))
    assert model.draw(question(task, n=100), Draw(0, 0)).text == "next = 107"
    assert model.draw(question(task, n=102), Draw(0, 0)).text == "next = 109"
    assert model.draw(question(task, n=101), Draw(0, 0)).text == "next = 99"


def test_malformed_replies_cannot_be_read() -> None:
    task = countdown(START)
    model = SimulatedModel(task, Rates(malformed=1))
    flags = [verdict(task, drawn, START) for drawn in draws(model, 300)]
    assert all(isinstance(flag, Flag) and flag.stage in ("locate", "parse", "type") for flag in flags)
    assert len({drawn.text for drawn in draws(model, 300)}) > 100


def test_overlong_replies_trip_a_length_flag() -> None:
    task = with_checks(countdown(START), NOT_TOO_LONG)
    model = SimulatedModel(task, Rates(overlong=1))
    for index in range(100):
        drawn = model.draw(question(task, index, n=50), Draw(0, 0))
        assert 750 < drawn.tokens < 1200
        assert drawn.tokens == estimate_tokens(drawn.text)
        assert verdict(task, drawn, 50) == Flag("flag", "too long", "the flag “too long” is raised")


def test_overlong_replies_are_cut_at_the_token_limit() -> None:
    model = SimulatedModel(countdown(START), Rates(overlong=1))
    drawn = model.draw(question(model.task, n=50), Draw(0, 0), 750)
    assert (drawn.finish, drawn.tokens, estimate_tokens(drawn.text)) == ("length", 750, 750)


def test_right_replies_are_cut_at_the_token_limit_too() -> None:
    drawn = SimulatedModel(countdown(START), Rates()).draw(question(countdown(START)), Draw(0, 0), 2)
    assert (drawn.text, drawn.finish, drawn.tokens) == ("next =", "length", 2)


def test_truncated_replies_end_early() -> None:
    task = countdown(START)
    for drawn in draws(SimulatedModel(task, Rates(truncated=1)), 100):
        assert drawn.finish == "length"
        assert drawn.text in ("next", "next =")
        assert isinstance(verdict(task, drawn, START), Flag)


def test_latencies_are_spread_as_set() -> None:
    model = SimulatedModel(countdown(START), Rates(latency="lognormal(0.2, 0.5)"))
    latencies = sorted(drawn.latency_s for drawn in draws(model, 4001))
    assert latencies[2000] == pytest.approx(0.2, rel=0.05)
    assert latencies[3366] == pytest.approx(0.2 * 2.718281828**0.5, rel=0.07)


def test_a_task_without_a_reference_is_refused_with_what_to_do() -> None:
    task = countdown(with_reference=False)
    assert steps_without_reference(task) == ("`down`",)
    with pytest.raises(PermanentError) as caught:
        SimulatedModel(task, Rates())
    assert "has none for step `down`" in str(caught.value)
    assert "--provider" in (caught.value.help or "")


def test_tokens_are_words_and_punctuation_marks() -> None:
    assert estimate_tokens("move = [1, 0, 2]") == 9
    assert cut_to_tokens("move = [1, 0, 2]", 4) == "move = [1"
    assert cut_to_tokens("a b", 9) == "a b"
    assert cut_to_tokens("a b", 0) == ""
