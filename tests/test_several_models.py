"""Several models vote: who is asked, what their votes weigh, and how a run with them goes on."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from maker_dsl import api
from maker_dsl.choosing import ProfileRefused, ProviderChoice
from maker_dsl.engine.calibration_file import Calibration, ShareEstimate
from maker_dsl.engine.inspection import read_events
from maker_dsl.engine.records import CallRecord, DecisionRecord, RunRecord, VoterRecord
from maker_dsl.engine.settings import NOTHING_PLANNED, RunOptions, SettingsRefused
from maker_dsl.engine.voters import Candidate, match_calibrations, with_voters
from maker_dsl.providers.port import Price

TEXT = """
task down {
  state { n: int = 40 }
  done when n == 0
  step { prompt "{{ n }} {{ reply.format }}" reply "n = {n: int}" update { n = reply.n } }
  reference { n = n - 1 }
}
"""
NAMED = TEXT.replace('prompt "', 'with profile "strong" prompt "')


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "providers").mkdir()
    profile("cheap", wrong=0.25, price=1)
    profile("strong", wrong=0.02, price=8)
    Path("providers", "panel.toml").write_text('models = ["strong", "cheap"]\norder = "cheapest"\n')


def profile(name: str, wrong: float, price: int) -> None:
    price_table = f"[price]\ninput = {price}.0\noutput = {price}.0\n"
    Path("providers", f"{name}.toml").write_text(f'provider = "simulated"\n{price_table}[simulate]\nwrong = {wrong}\n')


def events_of(kind: type) -> list[Any]:
    return [event for event in read_events(api.open_run("last")) if isinstance(event, kind)]


def calls_by_voter() -> Counter[int]:
    return Counter(call.voter for call in events_of(CallRecord) for _ in call.draws)


def decisions() -> list[tuple[int, str]]:
    return [(one.step, one.value) for one in events_of(DecisionRecord)]


def calibration(provider: str, low: float, model: str | None = None) -> Calibration:
    share = ShareEstimate(value=min(1.0, low + 0.01), low=low, high=min(1.0, low + 0.02))
    return Calibration(format=1, task="down", provider=provider, model=model, truth="reference", p=share, passing=share)


def test_in_turn_each_model_has_every_other_slot() -> None:
    report = api.run(api.loads(TEXT), provider="cheap,strong")
    assert report.status == "done"
    by_voter = calls_by_voter()
    assert by_voter[0] >= by_voter[1] > 0.6 * by_voter[0]
    turns = [(call.voter, *draw) for call in events_of(CallRecord) for draw in call.draws]
    assert all(voter == (slot + resample) % 2 for voter, slot, resample in turns)
    assert [(one.profile, one.samples) for one in report.voters] == [("cheap", by_voter[0]), ("strong", by_voter[1])]
    assert sum(one.votes for one in report.voters) == report.votes
    assert report.voters[0].lost > report.voters[1].lost
    assert api.verify("last").is_good


def test_the_cheapest_alone_is_asked_until_votes_disagree() -> None:
    report = api.run(api.loads(TEXT), provider="panel", options=RunOptions(ahead_by=3))
    assert report.status == "done"
    record = events_of(RunRecord)[0]
    assert record.profile["asked"] == "strong"
    (policy,) = record.policies.values()
    assert (policy.order, policy.voters) == ("cheapest", (VoterRecord("cheap"), VoterRecord(None)))
    asked: dict[int, Counter[int]] = {}
    for call in events_of(CallRecord):
        asked.setdefault(call.step, Counter())[call.voter] += len(call.draws)
    unanimous = {one.step for one in events_of(DecisionRecord) if len(one.votes) == 1}
    assert 0 < len(unanimous) < len(asked)
    for step, counts in asked.items():
        assert counts[0] == 3
        assert (counts[1] == 0) == (step in unanimous)


def test_a_run_that_stops_anywhere_goes_on_as_if_it_had_not() -> None:
    whole = api.run(api.loads(TEXT), provider="cheap,strong", options=RunOptions(seed=5))
    expected = decisions()
    for stop in (1, 7, 23):
        api.run(api.loads(TEXT), provider="cheap,strong", options=RunOptions(seed=5, max_steps=stop))
        # The run has its models; that a panel or an order is now another one changes nothing.
        report = api.resume("last", options=RunOptions(max_steps=100))
        assert decisions() == expected
        assert (report.samples, report.voters) == (whole.samples, whole.voters)
        assert api.verify("last").is_good


def test_a_voter_whose_profile_changed_is_not_gone_on_with_unasked() -> None:
    api.run(api.loads(TEXT), provider="cheap,strong", options=RunOptions(max_steps=2))
    profile("strong", wrong=0.5, price=8)
    with pytest.raises(ProfileRefused) as refused:
        api.resume("last", options=RunOptions(max_steps=100))
    (finding,) = refused.value.diagnostics
    assert finding.code == "MK681"
    assert "--with strong=strong" in (finding.help or "")
    report = api.resume("last", stand_ins={"strong": "strong"}, options=RunOptions(max_steps=100))
    assert report.status == "done"


def test_an_override_is_for_the_first_model_alone() -> None:
    setup = ProviderChoice("cheap,strong", ("vote.ahead_by=5",)).open(api.loads(TEXT), 0)
    assert (setup.options.ahead_by, setup.named["strong"].options.ahead_by) == (5, None)
    with pytest.raises(ProfileRefused, match="MK604"):
        ProviderChoice("panel", ("order=rotate",)).open(api.loads(TEXT), 0)


def test_simulated_voters_err_apart_from_one_another() -> None:
    Path("providers", "twin.toml").write_text(Path("providers", "cheap.toml").read_text() + "seed = 3\n")
    Path("providers", "other.toml").write_text(Path("providers", "cheap.toml").read_text() + "seed = 3\n")
    api.run(api.loads(TEXT), provider="cheap,twin,other", options=RunOptions(max_steps=30, seed=3))
    assert all(one.lost for one in api.status("last").voters)
    # The same question, slot and resample, put to each: equal chances would give equal replies.
    setup = ProviderChoice("cheap,twin,other").open(api.loads(TEXT), 3)
    models = (setup, setup.named["twin"], setup.named["other"])
    assert len({one.provider._model._chance._prefix for one in models}) == 3  # type: ignore[attr-defined]


def test_a_voter_has_another_name_where_the_task_uses_its_own_for_something_else() -> None:
    task = api.loads(NAMED)
    stand_ins = {"strong": "cheap"}
    choice = ProviderChoice("cheap,strong", (), stand_ins)
    assert choice.voters(task) == {"strong (voter)": "strong"}
    assert set(choice.open(task, 0).named) == {"strong", "strong (voter)"}
    report = api.run(task, provider="cheap,strong", stand_ins=stand_ins, options=RunOptions(max_steps=3))
    # A step with a profile of its own is that one's alone.
    assert (report.voters, set(calls_by_voter())) == ((), {0})
    assert api.resume("last", options=RunOptions(max_steps=100)).status == "done"


@pytest.mark.parametrize(
    ("provider", "order", "title"),
    [
        ("cheap,cheap", None, "listed twice"),
        ("cheap,./providers/cheap.toml", None, "listed twice"),
        ("cheap,", None, "a comma stands between"),
        ("cheap,panel", None, "lists several models"),
        ("cheap", "rotate", "in which order several models"),
        ("cheap,nobody", None, "there is no profile `nobody`"),
    ],
)
def test_models_that_cant_vote_together_are_refused(provider: str, order: Any, title: str) -> None:
    with pytest.raises(ProfileRefused, match=title):
        ProviderChoice(provider, (), None, order).open(api.loads(TEXT), 0)


@pytest.mark.parametrize(
    ("text", "code", "title"),
    [
        ('models = ["cheap"]', "MK617", "one model is no panel"),
        ("models = 3", "MK617", "lists the names"),
        ('models = ["cheap", 3]', "MK617", "lists the names"),
        ('models = ["cheap", "strong"]\nmodel = "openai/x"', "MK617", "says nothing of a model itself: `model`"),
        ('models = ["cheap", "strong"]\norder = "cheap"', "MK617", "`order` has a value"),
        ('models = ["cheap", "panel"]', "MK617", "`panel` lists several models"),
        ('models = ["own", "cheap"]', "MK617", "`own` lists several models"),
        ('models = ["cheap", "nobody"]', "MK601", "there is no profile `nobody`"),
        ('models = ["cheap", "cheap"]', "MK617", "listed twice"),
    ],
)
def test_a_panel_that_is_none_is_shown_where_it_is_written(text: str, code: str, title: str) -> None:
    Path("providers", "own.toml").write_text(text + "\n")
    with pytest.raises(ProfileRefused, match=title) as refused:
        ProviderChoice("own").open(api.loads(TEXT), 0)
    (finding,) = refused.value.diagnostics
    assert (finding.code, finding.primary.span.source.name) == (code, "providers/own.toml")


def test_a_run_goes_on_with_the_models_that_it_began_with() -> None:
    api.run(api.loads(TEXT), provider="cheap,strong", options=RunOptions(max_steps=2))
    with pytest.raises(ProfileRefused, match="goes on with the models"):
        api.resume("last", provider="cheap,strong")


CANDIDATES = (
    Candidate(None, "./a.toml", "openai/a", Price(1.0, 2.0)),
    Candidate("b", "b", "openai/b", Price(0.5, 2.0)),
)


def test_calibrations_are_matched_by_profile_then_by_model_and_set_the_weights() -> None:
    found = match_calibrations(CANDIDATES, [calibration("b", 0.9), calibration("elsewhere", 0.6, "openai/a")])
    assert {name: one.p.low for name, one in found.items()} == {"b": 0.9, "./a.toml": 0.6}
    given = [calibration("b", 0.9), calibration("a", 0.6, "openai/a")]
    planned = with_voters(NOTHING_PLANNED, CANDIDATES, given, "cheapest")
    assert planned.voters == (VoterRecord("b", 5419), VoterRecord(None, 1000))
    assert with_voters(NOTHING_PLANNED, CANDIDATES).voters == (VoterRecord(None), VoterRecord("b"))


@pytest.mark.parametrize(
    ("given", "title"),
    [
        ([calibration("b", 0.9)], "has no calibration"),
        ([calibration("b", 0.9), calibration("b", 0.8)], "two calibrations of `b`"),
        ([calibration("b", 0.9), calibration("c", 0.8)], "`c`, which does not vote"),
        ([calibration("b", 0.45), calibration("./a.toml", 0.9)], "`b` can't vote"),
    ],
)
def test_calibrations_that_say_no_weights_are_refused(given: list[Calibration], title: str) -> None:
    with pytest.raises(SettingsRefused, match=title) as refused:
        with_voters(NOTHING_PLANNED, CANDIDATES, given)
    assert {one.code for one in refused.value.diagnostics} == {"MK559"}


def test_who_is_cheapest_must_be_known() -> None:
    dark = Candidate("dark", "dark", "openai/dark", None)
    with pytest.raises(SettingsRefused, match="nobody knows what `dark` costs"):
        with_voters(NOTHING_PLANNED, (*CANDIDATES, dark), (), "cheapest")
