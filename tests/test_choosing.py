"""Which providers a run has: names in the task, what stands for them, and how a run goes on with the same."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from maker_dsl import api
from maker_dsl.choosing import ProfileRefused, ProviderChoice, _changed_keys, named_profiles
from maker_dsl.engine.inspection import read_events
from maker_dsl.engine.records import ResumedRecord, RunRecord
from maker_dsl.engine.settings import RunOptions, SettingsRefused
from maker_dsl.engine.start import begin_run
from maker_dsl.providers.profile import Profile
from maker_dsl.task import Task

STEP = 'prompt "{{ n }} {{ reply.format }}" reply "n = {n: int}" update { n = reply.n }'
TEXT = f"""
task down {{
  state {{ n: int = 3 }}
  done when n == 0
  step odd when n % 2 == 1 {{ with profile "strong"  {STEP} }}
  step even {{ with profile "fast"  {STEP} }}
  reference odd {{ n = n - 1 }}
  reference even {{ n = n - 1 }}
}}
"""
SIMULATED = 'provider = "simulated"\n'


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "providers").mkdir()


def profile(name: str, text: str = SIMULATED) -> None:
    Path("providers", f"{name}.toml").write_text(text)


def codes(error: ProfileRefused) -> list[str]:
    return [one.code for one in error.diagnostics]


def run_some(**more: Any) -> api.RunReport:
    return api.run(api.loads(TEXT), options=RunOptions(max_steps=1), **more)


def first_record() -> RunRecord:
    event = next(read_events(api.open_run("last")))
    assert isinstance(event, RunRecord)
    return event


def test_all_names_of_a_task_and_of_those_that_it_runs_are_known() -> None:
    task = api.loads(TEXT)
    assert {name: one.place.text for name, one in named_profiles(task).items()} == {
        "strong": '"strong"',
        "fast": '"fast"',
    }
    outer = TEXT + "task outer { state { n: int = 1 } done when n == 0 step { run a = down() update { n = 0 * a.n } } }"
    (whole,) = [one for one in api.check_text(api.Source("outer.maker", outer)).programs if one.name == "outer"]
    assert set(named_profiles(whole.bind())) == {"strong", "fast"}


def test_in_a_rehearsal_the_simulated_model_answers_for_all_names_without_a_stand_in() -> None:
    profile("weak", SIMULATED + "[simulate]\nmalformed = 0.5\n")
    task = api.loads(TEXT)
    assert ProviderChoice("simulated").open(task, 0).named == {}
    setup = ProviderChoice("simulated", (), {"strong": "weak"}).open(task, 0)
    assert set(setup.named) == {"strong"}
    assert setup.named["strong"].provider.name == "weak"


@pytest.mark.long
@pytest.mark.filterwarnings("ignore")
def test_a_profile_with_several_names_is_opened_once() -> None:
    profile("one", 'model = "openai/x"\napi_base = "http://127.0.0.1:1"\n')
    task = api.loads(TEXT)
    setup = ProviderChoice("one", (), {"strong": "one", "fast": "one"}).open(task, 0)
    assert setup.named["strong"].provider is setup.named["fast"].provider is setup.provider
    changed = ProviderChoice("one", ("max_tokens=9",), {"strong": "one", "fast": "one"}).open(task, 0)
    assert changed.named["strong"].provider is changed.named["fast"].provider is not changed.provider


def test_everything_that_is_wrong_with_the_profiles_is_said_in_one_go() -> None:
    profile("fast", "modle = 3\n")
    profile("main", 'model = "openai/x"\napi_base = "http://127.0.0.1:1"\n')
    with pytest.raises(ProfileRefused) as refused:
        ProviderChoice("main", (), {"other": "fast"}).named(api.loads(TEXT))
    assert codes(refused.value)[:2] == ["MK615", "MK614"]
    assert len(codes(refused.value)) > 2
    assert refused.value.diagnostics[1].primary.span.text == '"strong"'


def test_an_override_is_for_the_runs_own_profile_alone() -> None:
    profile("weak")
    task = api.loads(TEXT)
    setup = ProviderChoice("weak", ("vote.ahead_by=5",), {"strong": "weak"}).open(task, 0)
    assert (setup.options.ahead_by, setup.named["strong"].options.ahead_by) == (5, None)


def test_each_step_is_decided_as_its_own_profile_says() -> None:
    profile("slow", SIMULATED + "max_tokens = 77\ntemperature = 0.7\n[vote]\nahead_by = 5\n")
    run_some(stand_ins={"strong": "slow"})
    record = first_record()
    odd, even = record.policies["odd"], record.policies["even"]
    assert (odd.ahead_by.value, odd.ahead_by.origin, odd.temperature.value, odd.profile) == (
        5,
        "profile",
        0.7,
        "strong",
    )
    assert odd.max_tokens is not None
    assert odd.max_tokens.value == 77
    assert (even.ahead_by.value, even.ahead_by.origin, even.profile) == (3, "default", None)
    assert set(record.profiles) == {"strong"}
    assert record.profiles["strong"].profile["asked"] == "slow"


@pytest.mark.long
@pytest.mark.filterwarnings("ignore")
def test_a_limit_on_money_needs_the_price_of_every_profile() -> None:
    profile("main", 'model = "openai/x"\napi_base = "http://127.0.0.1:1"\n[price]\ninput = 1.0\noutput = 1.0\n')
    profile("dark", 'model = "openai/nobody-knows"\napi_base = "http://127.0.0.1:1"\nmax_tokens = 10\n')
    task = api.loads(TEXT)

    async def main() -> None:
        setup = ProviderChoice("main", (), {"strong": "dark", "fast": "main"}).open(task, 0)
        begin_run(task, setup, RunOptions(max_cost_usd=1.0), Path("runs"))

    with pytest.raises(SettingsRefused) as refused:
        asyncio.run(main())
    assert [one.code for one in refused.value.diagnostics] == ["MK550"]
    assert "nobody-knows" in refused.value.diagnostics[0].title


def test_a_run_goes_on_with_the_profiles_that_it_was_started_with() -> None:
    profile("slow", SIMULATED + "[vote]\nahead_by = 4\n")
    run_some(stand_ins={"strong": "slow"})
    report = api.resume("last", options=RunOptions(max_steps=2))
    assert (report.status, report.steps, report.samples) == ("limit", 2, 4 + 3)


def test_a_named_profile_that_changed_is_not_gone_on_with_unasked() -> None:
    profile("slow", SIMULATED + "[vote]\nahead_by = 4\n")
    run_some(stand_ins={"strong": "slow"})
    profile("slow", SIMULATED + "[simulate]\nwrong = 0.5\n")
    with pytest.raises(ProfileRefused) as refused:
        api.resume("last", options=RunOptions(max_steps=10))
    (finding,) = refused.value.diagnostics
    assert finding.code == "MK681"
    assert finding.help is not None
    assert "--with strong=slow" in finding.help
    profile("quick")
    report = api.resume("last", stand_ins={"strong": "quick"}, options=RunOptions(max_steps=10))
    assert report.status == "done"
    assert api.verify("last").is_good
    resumed = [event for event in read_events(api.open_run("last")) if isinstance(event, ResumedRecord)]
    assert [event.profiles for event in resumed] == [{"strong": "quick"}]


def test_a_rehearsal_that_goes_on_with_a_real_model_wants_the_real_profiles() -> None:
    run_some()
    profile("main", 'model = "openai/x"\napi_base = "http://127.0.0.1:1"\n')
    with pytest.raises(ProfileRefused) as refused:
        api.resume("last", provider="main", options=RunOptions(max_steps=10))
    assert codes(refused.value) == ["MK614", "MK614"]


def test_a_task_with_names_tells_a_task_without_any_apart() -> None:
    plain: Task = api.loads(TEXT.replace('with profile "strong"', "").replace('with profile "fast"', ""))
    assert named_profiles(plain) == {}
    assert ProviderChoice("simulated").named(plain) == {}


def test_a_key_that_came_with_a_later_version_changes_a_run_only_where_it_is_set() -> None:
    now = Profile(name="own", model="openai/x")
    before = now.public()
    del before["constrain"]
    assert _changed_keys(now, before, set()) == []
    held = now.model_copy(update={"constrain": "prefer", "constrain_as": "vllm"})
    assert _changed_keys(held, before, set()) == ["constrain", "constrain_as"]
    assert _changed_keys(now, {**before, "timeout_s": 5.0}, set()) == ["timeout_s"]
