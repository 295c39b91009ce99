"""A report's page: whatever models reply stays text in it, it runs and loads nothing, and it stays small."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import orjson
import pytest
from engine_lab import countdown, fate, halves, load_countdown, load_halves, right, right_leaf
from report_lab import INERT, elements, hostile, parsed, run_of
from thinking_lab import Thinkers, load_thinking, thinking_countdown

from maker_dsl.engine.inspection import read_status
from maker_dsl.providers.port import Price, Request
from maker_dsl.reporting.facts import Facts
from maker_dsl.reporting.gathering import gather
from maker_dsl.reporting.markdown import markdown
from maker_dsl.reporting.page import page
from maker_dsl.reporting.page_style import STYLE


def noisy(request: Request) -> str:
    """Right, wrong or unreadable."""
    luck = fate(request.question.index, request.draws)
    return "next = 77" if luck < 0.15 else "what?" if luck < 0.3 else right(request)


@pytest.fixture(scope="module")
def noisy_facts() -> Facts:
    return gather(run_of(countdown(40), noisy, price=Price(2.0, 8.0)), load_countdown())


def test_the_facts_are_those_of_status(noisy_facts: Facts) -> None:
    directory = run_of(countdown(40), noisy, price=Price(2.0, 8.0))
    progress, outcome = read_status(directory).progress, noisy_facts.outcome
    assert (outcome.steps, outcome.samples, outcome.votes) == (progress.steps, progress.samples, progress.votes)
    assert (dict(outcome.flags), outcome.contested) == (dict(progress.flags), progress.contested)
    assert outcome.cost_usd == progress.cost_usd == pytest.approx(sum(one.cost_usd for one in noisy_facts.stretches))
    assert sum(steps for _, steps in noisy_facts.votes_to_decide) == outcome.steps == 40
    assert sum(model.samples for model in noisy_facts.models) == outcome.samples
    assert noisy_facts.undecided[0].seen == 40
    assert noisy_facts.undecided[-1].seen == 0
    assert orjson.loads(orjson.dumps(asdict(noisy_facts)))["outcome"]["steps"] == 40


def test_the_hardest_steps_come_with_prompt_state_and_replies(noisy_facts: Facts) -> None:
    hardest = noisy_facts.hardest
    assert len(hardest) == 10
    assert [step.samples for step in hardest] == sorted((step.samples for step in hardest), reverse=True)
    first = hardest[0]
    number = 40 - int(first.address) + 1
    assert first.state == f'{{"n":{number}}}'
    assert first.prompt == f"Count down.\n\nThe number is {number}."
    assert sum(reply.number for reply in first.replies) == first.samples
    (winner,) = [reply for reply in first.replies if reply.won]
    assert winner.text == f"next = {number - 1}"
    root = parsed(page([noisy_facts]))
    assert f"The number is {number}." in "".join(root.itertext())


def test_replies_stay_text() -> None:
    facts = gather(run_of(countdown(30), hostile), load_countdown())
    shown = page([facts])
    root = parsed(shown)
    text = "".join(root.itertext())
    for name, element in elements(root):
        assert name in INERT, name
        for attribute, value in element.attrib.items():
            assert not str(attribute).lower().startswith("on")
            assert attribute not in ("href", "src", "action", "style", "{http://www.w3.org/1999/xlink}href")
            assert "javascript" not in value
    assert sum(name == "style" for name, _ in elements(root)) == 1
    assert "</pre></details><script>window.hacked = 1</script>" in text
    assert "&lt;b&gt; &amp; &#60;script&#62;" in text
    assert "<U+202E>evil" in text
    assert not any(bad in shown for bad in "\x00\x07\x1b\u202e\u2066\ufffe\U0001fffe")
    assert "http://" not in shown.replace("http-equiv", "")
    assert "https://" not in shown


def test_names_of_the_run_stay_text_too(noisy_facts: Facts) -> None:
    evil = "<script>alert(1)</script>"
    origin = replace(noisy_facts.origin, run=evil, inputs=evil, provider=evil, profile={evil: evil}, task=evil)
    outcome = replace(noisy_facts.outcome, reason=evil, result=evil, flags={evil: 3}, status=evil)
    facts = replace(noisy_facts, origin=origin, outcome=outcome, notes=(evil,))
    root = parsed(page([facts, facts]))
    assert {name for name, _ in elements(root)} <= INERT
    assert "".join(root.itertext()).count(evil) > 10


def test_in_markdown_replies_stand_in_fences_that_they_cant_end() -> None:
    facts = gather(run_of(countdown(30), hostile), load_countdown())
    fence, outside = "", []
    for line in markdown([facts]).splitlines():
        if fence:
            fence = "" if line == fence else fence
        elif line.startswith("```"):
            fence = line.removesuffix("text")
        else:
            outside.append(line)
    assert not fence
    assert not [line for line in outside if "<script>" in line or line.startswith("# no heading")]
    assert any("won" in line for line in outside)


def test_two_runs_stand_side_by_side(noisy_facts: Facts) -> None:
    other = gather(run_of(countdown(20), right), load_countdown())
    other = replace(other, origin=replace(other.origin, run="the-other"))
    root = parsed(page([noisy_facts, other]))
    cells = [["".join(cell.itertext()) for cell in row] for name, row in elements(root) if name == "tr"]
    assert ["", noisy_facts.origin.run, "the-other", "second / first"] in cells
    assert ["steps", "40", "20", "0.50"] in cells
    styles = {element.attrib.get("class", "") for _, element in elements(root)}
    assert {"line first", "line second", "line first theory", "line second theory"} <= styles
    assert "the-other" in markdown([noisy_facts, other])


@pytest.mark.parametrize("steps", [0, 1, 2])
def test_a_run_with_next_to_nothing_has_a_page(steps: int) -> None:
    facts = gather(run_of(countdown(5), max_steps=steps), load_countdown())
    assert facts.outcome.reason is not None
    assert facts.outcome.reason in "".join(parsed(page([facts])).itertext())
    assert facts.outcome.steps == steps
    assert facts.notes == ("the run is not done (limit): what its journal has so far is here",)
    markdown([facts])


def test_a_step_that_stays_undecided_is_told_first() -> None:
    def torn(request: Request) -> str:
        return (
            f"next = {sum(draw.slot for draw in request.draws) % 2}" if request.question.index == 2 else right(request)
        )

    facts = gather(run_of(countdown(5), torn, max_samples=9), load_countdown())
    assert facts.outcome.status == "undecided"
    first = facts.hardest[0]
    assert (first.address, first.stage, first.value) == ("3", "open", None)
    assert "step 3 (step): 9 samples" in page([facts])


def test_sub_runs_and_thoughts_are_told() -> None:
    facts = gather(run_of(halves((3, 1, 4)), right_leaf), load_halves)
    assert (facts.outcome.sub_runs, facts.outcome.composed, facts.outcome.steps) == (4, 2, 5)
    parsed(page([facts]))
    thinking = gather(run_of(thinking_countdown(8), setup=Thinkers(flaky=False).setup), load_thinking())
    assert any(reply.thought for step in thinking.hardest for reply in step.replies)
    parsed(page([thinking]))


def test_without_the_task_only_prompts_and_states_are_missing() -> None:
    directory = run_of(countdown(40), noisy)
    whole, without = gather(directory, load_countdown()), gather(directory, None)
    assert all(step.prompt is None and step.state is None for step in without.hardest)
    strip = tuple(replace(step, prompt=None, state=None) for step in whole.hardest)
    assert replace(whole, hardest=strip) == without


@pytest.mark.long
def test_a_report_does_not_grow_with_the_run() -> None:
    sizes = []
    for steps in (400, 4_000):
        long = "very " * 2_000

        def script(request: Request, long: str = long) -> str:
            return f"{long} next = 77" if fate(request.question.index, request.draws) < 0.05 else right(request)

        facts = gather(run_of(countdown(steps, largest=9_999), script), load_countdown(largest=9_999))
        sizes.append(len(page([facts])))
    assert sizes[1] < 1.3 * sizes[0] < 200_000


def test_the_style_is_for_paper_phones_light_and_dark() -> None:
    for rule in ("@media print", "@media (max-width", "@media (prefers-color-scheme: dark)", "@page"):
        assert rule in STYLE
    assert "url(" not in STYLE
    assert "@import" not in STYLE


def test_a_report_reads_as_in_the_golden_file(noisy_facts: Facts, request: pytest.FixtureRequest) -> None:
    golden = Path(__file__).parent / "noisy_countdown.md"
    facts = replace(noisy_facts, hardest=noisy_facts.hardest[:2], origin=replace(noisy_facts.origin, maker="0.0.0"))
    shown = markdown([facts])
    if request.config.getoption("--update-golden"):
        golden.write_text(shown, encoding="utf-8")
    assert shown == golden.read_text(encoding="utf-8"), "rewrite with pytest --update-golden"
