"""Constrained decoding in a run: what a proof makes of it, what it costs, and what stands in the journal."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from engine_lab import (
    BUSY,
    CountdownReply,
    DyingDisk,
    countdown,
    forged,
    load_countdown,
    memory_world,
    new_run,
    only_run,
    right,
    sums,
)

from maker_dsl.diagnostics import Source, Span
from maker_dsl.engine.constraints import tokens_by_profile
from maker_dsl.engine.inspection import read_events, read_status
from maker_dsl.engine.records import (
    CallRecord,
    ConstraintRecord,
    FormPolicyRecord,
    PolicyRecord,
    ResumedRecord,
    SettingRecord,
)
from maker_dsl.engine.report import RunReport
from maker_dsl.engine.settings import RunOptions, SettingsRefused
from maker_dsl.engine.start import ProviderSetup, resume_run
from maker_dsl.engine.story import explain_step
from maker_dsl.engine.verification import verify_run
from maker_dsl.journal import MemoryDisk
from maker_dsl.journal.memory_disk import Stopped
from maker_dsl.providers.clock import run_virtually
from maker_dsl.providers.constraint import Constrain, ConstrainMode, Dialect
from maker_dsl.providers.port import PermanentError, Price, ProviderError, Request, TransientError
from maker_dsl.providers.retry import RetryPolicy
from maker_dsl.providers.scripted import Answer, ScriptedProvider
from maker_dsl.task import Formatting, NotExpressible, ProfileName, Prompt, Target, Task

GRAMMAR = 'root ::= "next = " [0-9]+\n'
REFUSAL = PermanentError("the server answered 400: unknown field", kind="bad_request", status=400)
DOLLAR = Price(10_000.0, 10_000.0)
"""A cent a token."""

Script = Callable[[Request], Answer | str | ProviderError]


class Exported(CountdownReply):
    """Can be written in one notation alone."""

    def __init__(self, target: Target = "gbnf") -> None:
        self._target = target

    def export(self, target: Target) -> str:
        if target != self._target:
            raise NotExpressible(target, "the reply is not a JSON object", ("gbnf", "lark"))
        return GRAMMAR


def named(name: str) -> ProfileName:
    return ProfileName(name, Span(Source("t.maker", name), 0, len(name)))


def task(start: int = 2) -> Task:
    return with_exports(countdown(start))


def with_exports(one: Task, target: Target = "gbnf") -> Task:
    steps = tuple(replace(step, reply=Exported(target)) for step in one.steps)
    return replace(one, steps=steps, next_step=lambda state: next(each for each in steps if each.applies(state)))


def enforcing(request: Request) -> str:
    """What a server does that holds replies to grammars."""
    assert request.grammar is not None
    return request.grammar.split('"')[1] if request.phase == "proof" else right(request)


def ignoring(request: Request) -> str:
    return "Hello!" if request.phase == "proof" else right(request)


def constrained(
    script: Script | list[Any], mode: ConstrainMode = "prefer", dialect: Dialect = "vllm", **more: Any
) -> ScriptedProvider:
    return ScriptedProvider(script, constrain=Constrain(mode, dialect), name="mine", **more)


def retrying(provider: ScriptedProvider) -> ProviderSetup:
    return ProviderSetup(provider, retry=RetryPolicy(attempts=3, first_backoff_s=0.01))


class Listener:
    """An observer that keeps what it is told."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def started(self, _run: object) -> None:
        pass

    def decided(self, _decision: object) -> None:
        pass

    def told(self, text: str) -> None:
        self.said.append(text)


class Trial:
    """A run on a disk of its own, with what came of it."""

    def __init__(self, provider: ScriptedProvider | ProviderSetup, one: Task | None = None, **asked: Any) -> None:
        self.disk = MemoryDisk()
        self.setup = provider if isinstance(provider, ProviderSetup) else ProviderSetup(provider)

        async def main() -> RunReport:
            return await new_run(one or task(), self.setup, memory_world(self.disk, pace=BUSY), **asked).go()

        self.report = run_virtually(main())

    @property
    def requests(self) -> list[Request]:
        assert isinstance(self.setup.provider, ScriptedProvider)
        return self.setup.provider.calls

    @property
    def records(self) -> list[ConstraintRecord]:
        return [event for event in read_events(only_run(self.disk)) if isinstance(event, ConstraintRecord)]

    @property
    def calls(self) -> list[CallRecord]:
        return [event for event in read_events(only_run(self.disk)) if isinstance(event, CallRecord)]

    def resumed(self, provider: ScriptedProvider, asked: RunOptions | None = None, **facts: Any) -> RunReport:
        async def main() -> RunReport:
            return await resume_run(
                only_run(self.disk),
                lambda text, record: with_exports(load_countdown(**facts)(text, record)),
                lambda _task, _record: ProviderSetup(provider),
                asked,
                world=memory_world(self.disk, pace=BUSY),
            )

        return run_virtually(main())


@pytest.mark.parametrize("mode", ["prefer", "require"])
def test_replies_are_held_to_the_step_s_grammar_once_the_server_has_proved_that_it_can(mode: ConstrainMode) -> None:
    trial = Trial(constrained(enforcing, mode))
    assert trial.report.status == "done"
    proof, *others = trial.requests
    assert (proof.phase, proof.temperature, len(proof.draws), proof.samples) == ("proof", None, 1, 0)
    assert proof.prompt == Prompt(None, "Say hello in one word.")
    assert proof.grammar is not None
    assert {request.grammar for request in others} == {GRAMMAR}
    assert trial.records == [ConstraintRecord("", "vllm", mode, True)]
    assert trial.report.samples == len(others)


def test_a_server_that_answers_something_else_is_told_of_once_and_gets_no_grammars() -> None:
    trial = Trial(constrained(ignoring))
    assert trial.report.status == "done"
    assert {request.grammar for request in trial.requests if request.phase != "proof"} == {None}
    (record,) = trial.records
    assert (record.enforced, record.why) == (False, "it answered “Hello!”, which the grammar does not allow")
    assert read_status(only_run(trial.disk)).constraints == (record,)


def test_without_a_constraint_there_is_no_proof_and_no_record() -> None:
    trial = Trial(ScriptedProvider(right))
    assert trial.report.status == "done"
    assert {request.phase for request in trial.requests} == {"answer"}
    assert not trial.records


def test_a_required_constraint_stops_the_run_before_any_sample_is_drawn() -> None:
    trial = Trial(constrained(ignoring, "require"))
    report = trial.report
    assert (report.status, report.steps, report.samples) == ("failed", 0, 0)
    assert len(trial.requests) == 1
    assert report.reason == (
        "mine does not enforce grammars: it answered “Hello!”, which the grammar does not allow; see whether "
        "`constrain_as` fits the server, or go on without: `--override constrain=prefer`"
    )
    (record,) = trial.records
    assert not record.enforced
    # Later the server has learned it.
    again = constrained(enforcing, "require")
    assert trial.resumed(again).status == "done"
    assert [request.phase for request in again.calls[:2]] == ["proof", "answer"]


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (Answer(()), "its answer is empty"),
        (Answer(("",), finish="other"), "its answer is empty"),
        (Answer(("Let me think",), finish="length"), "it had said “Let me think” at 750 tokens; a model that thinks"),
        (Answer(("",), finish="length"), "it had said nothing at 750 tokens; a model that thinks needs more"),
        (REFUSAL, "it refuses the request: the server answered 400: unknown field"),
        (PermanentError("the server answered 404", kind="unknown_model", status=404), "it refuses the request"),
        (PermanentError("no response_format here", kind="bad_request"), "it refuses the request: no response_format"),
        (Answer(("a\x1b[31m\ud800\n\nb" + "c" * 500,)), "it answered “a [31m b" + "c" * 10),
    ],
)
def test_all_that_is_no_proof_is_told_in_its_own_words(answer: Answer | ProviderError, why: str) -> None:
    def script(request: Request) -> Answer | str | ProviderError:
        return answer if request.phase == "proof" else right(request)

    trial = Trial(constrained(script), max_tokens=750)
    assert trial.report.status == "done"
    (record,) = trial.records
    assert not record.enforced
    assert record.why is not None
    assert record.why.startswith(why)
    assert record.why.isprintable()
    assert len(record.why) < 200


@pytest.mark.parametrize("kind", ["bad_key", "no_credit", "missing_package"])
def test_what_no_call_would_survive_stops_the_run_as_it_would_without_a_proof(kind: str) -> None:
    trial = Trial(constrained(lambda _request: PermanentError("no way in", kind=kind, status=401)))
    assert (trial.report.status, trial.report.reason) == ("failed", "no way in")
    assert len(trial.requests) == 1
    assert not trial.records


def test_an_unknown_model_is_called_that_where_a_constraint_is_required() -> None:
    refusal = PermanentError("no such model", kind="unknown_model", status=404)
    assert Trial(constrained(lambda _request: refusal, "require")).report.reason == "no such model"
    # A server without the Responses API says the same of its address.
    as_tool = Trial(
        constrained(lambda _request: refusal, "require", "openai-tool"), with_exports(countdown(2), "llguidance")
    )
    assert as_tool.report.reason is not None
    assert as_tool.report.reason.startswith("mine does not enforce grammars: it refuses the request: no such model")


def test_a_proof_is_tried_again_after_what_may_pass_and_every_attempt_is_in_the_journal() -> None:
    said: list[Any] = [TransientError("busy", kind="overloaded", status=503), "proof"]

    def script(request: Request) -> Answer | str | ProviderError:
        if request.phase != "proof":
            return right(request)
        given = said.pop(0)
        return enforcing(request) if given == "proof" else given

    trial = Trial(retrying(constrained(script)))
    assert trial.report.status == "done"
    assert trial.report.retries == 1
    first, second, *_ = trial.calls
    assert (first.outcome, first.draws, second.outcome, second.draws) == ("overloaded", (), "ok", ())
    assert trial.records == [ConstraintRecord("", "vllm", "prefer", True)]


def test_a_server_that_breaks_over_a_grammar_is_done_without_where_it_is_preferred() -> None:
    def script(request: Request) -> Answer | str | ProviderError:
        if request.phase == "proof":
            return TransientError("the server answered 500: oops", kind="server_error", status=500)
        return right(request)

    trial = Trial(retrying(constrained(script)))
    assert trial.report.status == "done"
    (record,) = trial.records
    assert record.why is not None
    assert record.why.startswith("it fails at the request: gave up after 3 attempts")
    required = Trial(retrying(constrained(script, "require")))
    assert required.report.status == "failed"
    assert required.report.reason is not None
    assert required.report.reason.startswith("gave up after 3 attempts")


def test_a_server_that_is_not_there_stops_the_run() -> None:
    down = TransientError("cannot be reached", kind="dropped")
    trial = Trial(retrying(constrained(lambda _request: down)))
    assert trial.report.status == "failed"
    assert not trial.records


def test_a_proof_is_paid_from_the_budget_and_draws_no_sample() -> None:
    trial = Trial(constrained(enforcing, price=DOLLAR), max_cost_usd=1000.0, max_tokens=50, max_total_samples=12)
    proof, *others = trial.calls
    assert trial.report.status == "done"
    assert (proof.usage, proof.cost_usd, proof.replies) == ((100, 20, 0), 1.2, ())
    assert trial.report.cost_usd == pytest.approx(1.2 * (1 + len(others)))
    assert trial.report.samples == len(others)


def test_a_budget_too_small_for_the_proof_ends_the_run_before_it() -> None:
    trial = Trial(constrained(enforcing, price=DOLLAR), max_cost_usd=0.5, max_tokens=50)
    assert trial.report.status == "limit"
    assert trial.report.reason is not None
    assert "--max-cost" in trial.report.reason
    assert not trial.requests
    assert not trial.records


@pytest.mark.parametrize(("limit", "sent"), [(109, 0), (110, 1)])
def test_the_worst_case_of_a_call_has_the_grammar_in_it(limit: int, sent: int) -> None:
    # The prompt's 22 characters, 64 tokens of reply, and the grammar: `root ::= "…"` with a nonce of 12 letters.
    trial = Trial(constrained(enforcing), max_total_tokens=limit, max_tokens=50)
    assert (trial.report.status, len(trial.requests)) == ("limit", sent)


def test_a_proof_may_be_as_long_as_the_longest_reply_since_some_models_think_first() -> None:
    assert Trial(constrained(enforcing), max_tokens=4000).requests[0].max_tokens == 4000
    assert Trial(constrained(enforcing), max_tokens=5).requests[0].max_tokens == 64
    assert Trial(constrained(enforcing)).requests[0].max_tokens == 64


def test_each_profile_has_a_proof_of_its_own_as_long_as_its_own_replies() -> None:
    main, strong = constrained(enforcing), constrained(enforcing, "require")
    one = task()
    steps = tuple(replace(step, profile=named("strong")) for step in one.steps)
    one = replace(one, steps=steps, next_step=lambda _state: steps[0])
    others = {"strong": ProviderSetup(strong, options=RunOptions(max_tokens=900)), "same": ProviderSetup(main)}
    trial = Trial(ProviderSetup(main, named=others), one)
    assert trial.report.status == "done"
    assert [request.phase for request in main.calls] == ["proof"]
    assert {request.phase for request in strong.calls} == {"proof", "answer"}
    assert strong.calls[0].max_tokens == 900
    assert {(record.profile, record.mode) for record in trial.records} == {("", "prefer"), ("strong", "require")}


def test_the_longest_replies_are_those_of_thoughts_and_forms_each_of_its_profile() -> None:
    def policy(tokens: int | None, profile: str | None, form: FormPolicyRecord | None = None) -> PolicyRecord:
        any_, longest = SettingRecord(1, "task"), SettingRecord(tokens, "task")
        return PolicyRecord(any_, any_, any_, any_, longest, profile, (), form)

    form = FormPolicyRecord(SettingRecord(0.0, "default"), SettingRecord(30, "task"), "small")
    policies = {
        "a": policy(700, None),
        "b": policy(900, "strong", form),
        "c": policy(800, "strong"),
        "d": policy(None, "x"),
    }
    assert tokens_by_profile(policies) == {"": 700, "strong": 900, "small": 30}


def test_only_the_second_call_is_constrained_where_a_thought_is_put_into_form() -> None:
    def script(request: Request) -> str:
        if request.phase == "thought":
            return f"so it is {request.question.state['n'] - 1}"
        return enforcing(request)

    forming = Formatting(named("small"), lambda _s, _l, _thought: Prompt(None, "Put it into form."))
    one = task()
    steps = tuple(replace(step, formatting=forming) for step in one.steps)
    trial = Trial(constrained(script), replace(one, steps=steps, next_step=lambda _state: steps[0]))
    assert trial.report.status == "done"
    assert {request.grammar for request in trial.requests if request.phase == "thought"} == {None}
    assert {request.grammar for request in trial.requests if request.phase == "form"} == {GRAMMAR}


def test_several_samples_of_a_call_share_its_grammar() -> None:
    trial = Trial(constrained(enforcing, samples_per_call=8))
    assert trial.report.status == "done"
    assert max(len(request.draws) for request in trial.requests[1:]) == 2
    assert len(trial.requests[0].draws) == 1
    assert {request.grammar for request in trial.requests[1:]} == {GRAMMAR}


# Forms that can't be written --------------------------------------------------------------------------------------


def test_a_required_form_that_cannot_be_written_is_found_before_anything_is_spent() -> None:
    provider = constrained(enforcing, "require", "json-schema")
    with pytest.raises(SettingsRefused) as refused:
        Trial(provider)
    (finding,) = refused.value.diagnostics
    assert finding.code == "MK558"
    assert finding.title == (
        "the replies of step `step` can't be constrained as `json-schema`: the reply is not a JSON object"
    )
    assert finding.help is not None
    assert '`"llama.cpp"`, `"vllm"`, `"sglang"`, `"fireworks"` could say it' in finding.help
    assert not provider.calls


def test_a_constraint_of_a_named_profile_is_lifted_by_its_name_since_overrides_do_not_reach_it() -> None:
    strong = constrained(enforcing, "require", "json-schema")
    one = task()
    steps = tuple(replace(step, profile=named("strong")) for step in one.steps)
    one = replace(one, steps=steps, next_step=lambda _state: steps[0])
    with pytest.raises(SettingsRefused) as refused:
        Trial(ProviderSetup(ScriptedProvider(right), named={"strong": ProviderSetup(strong)}), one)
    (finding,) = refused.value.diagnostics
    assert finding.primary.span.source.name == "constrain of mine"
    assert finding.help is not None
    assert finding.help.endswith('or go on without: `--with strong=PROFILE`, one with `constrain = "prefer"`')


def test_the_same_is_found_when_a_run_is_resumed() -> None:
    trial = Trial(ScriptedProvider(right), task(4), max_steps=1)
    provider = constrained(enforcing, "require", "json-schema")
    with pytest.raises(SettingsRefused):
        trial.resumed(provider)
    assert not provider.calls


def test_a_preferred_form_that_cannot_be_written_is_told_of_once() -> None:
    trial = Trial(constrained(schema_proof, "prefer", "json-schema"), task(4))
    assert trial.report.status == "done"
    assert {request.grammar for request in trial.requests[1:]} == {None}
    proved, step = trial.records
    assert proved.enforced
    assert (step.step, step.why) == ("step", "the reply is not a JSON object")
    assert set(read_status(only_run(trial.disk)).constraints) == {proved, step}


def schema_proof(request: Request) -> str:
    if request.phase != "proof":
        return right(request)
    assert request.grammar is not None
    nonce = request.grammar.split('"enum": ["')[1].split('"')[0]
    return f'{{"number": "{nonce}"}}'


def test_sub_runs_with_forms_that_cannot_be_written_are_told_of_once_however_many_they_are() -> None:
    one = sums(sub=lambda start: with_exports(countdown(start)))
    one = replace(one, steps=tuple(replace(step, reply=Exported()) for step in one.steps))
    trial = Trial(constrained(schema_proof, "prefer", "json-schema"), one)
    assert trial.report.status == "done"
    assert [record.step for record in trial.records] == [None, "step"]


def test_a_required_form_of_a_sub_run_stops_the_run_when_it_comes_up() -> None:
    trial = Trial(
        constrained(schema_proof, "require", "json-schema"),
        replace(sums(sub=lambda start: with_exports(countdown(start))), steps=()),
    )
    assert trial.report.status == "failed"
    assert trial.report.reason is not None
    assert "the replies of step `step` can't be constrained as `json-schema`" in trial.report.reason
    assert [request.phase for request in trial.requests] == ["proof"]


# Grammars that the server refuses ----------------------------------------------------------------------------------


def refusing_grammars(request: Request) -> Answer | str | ProviderError:
    """Enforces the proof's, and finds the step's too large."""
    if request.grammar is None or request.phase == "proof":
        return enforcing(request) if request.phase == "proof" else right(request)
    said = "the server answered 400: grammar too complex"
    return PermanentError(said, kind="bad_request", status=400, help="look at the temperature")


def test_a_step_whose_grammar_is_refused_goes_without_where_that_is_preferred() -> None:
    trial = Trial(constrained(refusing_grammars), task(4))
    assert trial.report.status == "done"
    _, step = trial.records
    assert (step.step, step.enforced) == ("step", True)
    assert step.why == "the server refuses its grammar: the server answered 400: grammar too complex"
    # Those under way together find out for themselves; later ones don't try.
    assert {request.question.index for request in trial.requests if request.grammar == GRAMMAR} == {0}
    assert verify_run(only_run(trial.disk), with_exported_loader).mismatch is None


def with_exported_loader(text: str, record: Any) -> Task:
    return with_exports(load_countdown()(text, record))


def test_a_step_whose_grammar_is_refused_stops_the_run_where_it_is_required() -> None:
    trial = Trial(constrained(refusing_grammars, "require"))
    assert (trial.report.status, trial.report.samples) == ("failed", 0)
    assert trial.report.reason is not None
    assert "refuses a call with the grammar of step `step`: the server answered 400: grammar too complex" in (
        trial.report.reason
    )
    assert "`--override constrain=prefer`; else: look at the temperature" in trial.report.reason


def test_a_call_that_is_refused_without_the_grammar_too_is_not_blamed_on_it() -> None:
    def script(request: Request) -> Answer | str | ProviderError:
        return enforcing(request) if request.phase == "proof" else REFUSAL

    trial = Trial(constrained(script))
    assert trial.report.status == "failed"
    assert trial.report.reason is not None
    assert trial.report.reason.startswith("the server answered 400: unknown field")
    assert [record.step for record in trial.records] == [None]


# Runs that go on ----------------------------------------------------------------------------------------------------


def test_every_process_proves_anew_and_the_last_word_counts() -> None:
    trial = Trial(constrained(enforcing), task(4), max_steps=1)
    assert trial.report.status == "limit"
    assert read_status(only_run(trial.disk)).constraints[0].enforced
    assert trial.resumed(constrained(ignoring), RunOptions(max_steps=2)).status == "limit"
    assert [record.enforced for record in trial.records] == [True, False]
    assert [record.enforced for record in read_status(only_run(trial.disk)).constraints] == [False]
    # Nobody constrains what the last process draws, and status does not say so.
    assert trial.resumed(ScriptedProvider(right), RunOptions(max_steps=99)).status == "done"
    assert read_status(only_run(trial.disk)).constraints == ()
    assert verify_run(only_run(trial.disk), with_exported_loader).mismatch is None


def test_a_run_that_is_done_proves_nothing() -> None:
    trial = Trial(constrained(enforcing))
    provider = constrained(enforcing)
    assert trial.resumed(provider).status == "done"
    assert not provider.calls


def test_a_run_that_may_take_no_further_step_proves_nothing() -> None:
    trial = Trial(constrained(enforcing), task(3), max_steps=1)
    provider = constrained(enforcing)
    assert trial.resumed(provider).status == "limit"
    assert not provider.calls
    assert trial.resumed(provider, RunOptions(max_steps=9)).status == "done"
    assert provider.calls[0].phase == "proof"


def test_a_stop_in_the_middle_of_a_proof_leaves_a_run_that_goes_on() -> None:
    disk = MemoryDisk()
    world = memory_world(disk, pace=BUSY)
    asked = asyncio.Event()

    def script(_request: Request) -> Answer:
        asked.set()
        return Answer(("x",), delay_s=1e6)

    provider = constrained(script, clock=world.clock)

    async def main() -> RunReport:
        run = new_run(task(), ProviderSetup(provider), world)
        going = asyncio.ensure_future(run.go())
        await asked.wait()
        run.stop("by Ctrl-C")
        return await going

    report = run_virtually(main())
    assert (report.status, report.reason, report.samples) == ("interrupted", "by Ctrl-C", 0)
    (call,) = [event for event in read_events(only_run(disk)) if isinstance(event, CallRecord)]
    assert (call.outcome, call.draws) == ("cancelled", ())
    trial = Trial.__new__(Trial)
    trial.disk = disk
    assert trial.resumed(constrained(enforcing)).status == "done"


def test_a_kill_at_any_moment_of_the_proof_leaves_a_run_that_goes_on_and_never_forgets_what_it_spent() -> None:
    def begun(stop_at: int | None) -> tuple[DyingDisk, ScriptedProvider]:
        disk = DyingDisk()
        disk.stop_at = stop_at
        provider = constrained(enforcing, price=DOLLAR)

        async def main() -> RunReport:
            world = memory_world(disk, pace=BUSY)
            return await new_run(task(1), ProviderSetup(provider), world, max_cost_usd=1000.0, max_tokens=50).go()

        if stop_at is None:
            run_virtually(main())
        else:
            with pytest.raises(Stopped):
                run_virtually(main())
        return disk, provider

    operations = begun(None)[0].operations
    killed = 0
    for stop_at in range(operations):
        disk, provider = begun(stop_at)
        if len(provider.calls) != 1:
            continue
        killed += 1
        trial = Trial.__new__(Trial)
        trial.disk = DyingDisk.after(disk.kill())
        again = constrained(enforcing, price=DOLLAR)
        assert trial.resumed(again).status == "done"
        assert [request.phase for request in again.calls].count("proof") == 1
        spent = sum(
            event.forfeited[0] for event in read_events(only_run(trial.disk)) if isinstance(event, ResumedRecord)
        )
        paid = sum(call.cost_usd or 0.0 for call in trial.calls)
        assert spent + paid >= 1.2 * (1 + len(again.calls)) - 1e-9
    assert killed >= 2


def test_a_run_of_before_there_were_constraints_is_read_as_before() -> None:
    trial = Trial(constrained(enforcing), task(3), max_steps=1)
    older = forged(only_run(trial.disk), lambda event: None if isinstance(event, ConstraintRecord) else event)
    assert read_status(older).constraints == ()
    assert verify_run(older, with_exported_loader).mismatch is None


def test_the_story_of_a_step_does_not_count_proofs_as_its_calls() -> None:
    said = [TransientError("busy", kind="overloaded", status=503)]

    def script(request: Request) -> Answer | str | ProviderError:
        return said.pop() if said and request.phase == "proof" else enforcing(request)

    trial = Trial(retrying(constrained(script)))
    story = explain_step(only_run(trial.disk), with_exported_loader, 1)
    assert story.failures == ()  # type: ignore[union-attr]
    assert len(story.samples) == 3  # type: ignore[union-attr]
