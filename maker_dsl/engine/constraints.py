"""Constrained decoding in a run: the proof at its start, and the grammar that a kind of step is held to.

Used by `run` and the step loop. What a profile asks for counts only where its server has proved, in this process, that
it enforces a grammar; what came of it stands in the journal.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from random import Random
from typing import Protocol, cast

from maker_dsl.diagnostics import Diagnostic
from maker_dsl.engine.gateways import Gateways
from maker_dsl.engine.ledger import RunLedger
from maker_dsl.engine.recorder import Recorder
from maker_dsl.engine.records import MAIN_PROFILE, CallRecord, ConstraintRecord, PolicyRecord
from maker_dsl.engine.report import Observer
from maker_dsl.engine.settings import refusal
from maker_dsl.providers.constraint import PROOF_PROMPT, PROOF_TOKENS, TARGETS, Constrain, proof_grammar, proves
from maker_dsl.providers.gateway import Gateway
from maker_dsl.providers.port import Completion, Draw, PermanentError, Provider, Question, Request
from maker_dsl.providers.retry import ProviderUnavailable
from maker_dsl.task import NotExpressible, ProfileName, ReplyFormat, Step

LONGEST_REPLY_SHOWN = 80
LONGEST_REASON = 300
MOST_REMEMBERED = 256

_NEVER_ABOUT_GRAMMARS = frozenset({"bad_key", "no_credit", "missing_package"})
"""Refusals of any call, with a grammar or without."""


class Notes(Protocol):
    """Where it is written down what proofs cost, and what came of them."""

    def paid(self, completion: Completion) -> None:
        """A proof's call was answered; the gateway's ledger has just seen it."""
        ...

    def found(self, record: ConstraintRecord) -> None:
        """What came of it."""
        ...

    def told(self, text: str) -> None:
        """The same for people."""
        ...


class Constraints:
    """What the gateways of one process hold replies to."""

    def __init__(self, gateways: Gateways, random: Random, notes: Notes) -> None:
        self._gateways = gateways
        self._random = random
        self._notes = notes
        self._enforced: dict[int, tuple[str, Constrain]] = {}
        """By gateway: the profile's name in the run, and what it says."""
        self._written: dict[tuple[int, int], tuple[ReplyFormat, str | None]] = {}
        self._refused: set[tuple[int, str]] = set()
        """Gateway and step: its server would not take the step's grammar."""
        self._noted: set[tuple[str, str]] = set()
        """Profile and step: said once that its replies are free, though each sub-run has a reply form of its own."""

    async def prove(self, tokens: Mapping[str, int] | None = None) -> None:
        """Ask each server that is to constrain replies for a nonce that only the grammar names.

        `tokens` is the longest reply that a run has of a profile: a model that thinks needs as much here. Raises
        PermanentError where a profile requires what its server does not do, and as `Gateway.sample`.
        """
        named = {MAIN_PROFILE: self._gateways.main, **self._gateways.named}
        most: dict[int, int] = {}
        for name, gateway in named.items():
            allowed = (tokens or {}).get(name, 0)
            most[id(gateway)] = max(most.get(id(gateway), PROOF_TOKENS), allowed)
        for name, gateway in named.items():
            constrain = gateway.provider.constrain
            if constrain is not None and id(gateway) in most:
                await self._try(name, gateway, constrain, most.pop(id(gateway)))

    async def _try(self, name: str, gateway: Gateway, constrain: Constrain, max_tokens: int) -> None:
        why = await self._refute(gateway, constrain, max_tokens)
        who = gateway.provider.name
        self._notes.found(ConstraintRecord(name, constrain.dialect, constrain.mode, why is None, why))
        if why is None:
            self._enforced[id(gateway)] = name, constrain
            self._notes.told(f"{who} enforces grammars ({constrain.dialect}): replies are constrained")
        elif constrain.mode == "require":
            raise PermanentError(
                f"{who} does not enforce grammars: {why}",
                kind="not_enforced",
                help=f"see whether `constrain_as` fits the server, or {_without(name)}",
            )
        else:
            self._notes.told(f"{who} does not enforce grammars ({why}): replies are not constrained")

    def grammar_of(self, gateway: Gateway, step: Step) -> str | None:
        """The grammar for the replies to a kind of step; None where they are free.

        Raises PermanentError where a profile requires one and the reply's form can't be written in its notation.
        """
        found = self._enforced.get(id(gateway))
        if found is None:
            return None
        profile, constrain = found
        known = self._written.get((id(gateway), id(step.reply)))
        if known is not None:
            return known[1]
        grammar: str | None = None
        try:
            grammar = step.reply.export(constrain.target)
        except NotExpressible as error:
            if constrain.mode == "require":
                raise PermanentError(
                    _unwritable(step, constrain, error), kind="not_expressible", help=_unwritable_help(error, profile)
                ) from error
            self._note(profile, constrain, step, error.why)
        if len(self._written) >= MOST_REMEMBERED:
            self._written.clear()
        self._written[id(gateway), id(step.reply)] = step.reply, grammar
        return grammar

    async def sample(self, gateway: Gateway, step: Step, request: Request) -> Completion:
        """The answer to a call with a grammar; without it where the server refuses that and it is not required.

        Raises as `Gateway.sample`. Nothing waits between the ledger's call for an answer and the return.
        """
        free = replace(request, grammar=None)
        if (id(gateway), step.name) in self._refused:
            return await gateway.sample(free)
        try:
            return await gateway.sample(request)
        except PermanentError as error:
            if error.kind != "bad_request":
                raise
            profile, constrain = self._enforced[id(gateway)]
            if constrain.mode == "require":
                raise PermanentError(
                    f"the server refuses a call with the grammar of step `{step.name}`: {error}",
                    kind=error.kind,
                    status=error.status,
                    help="if it is about the grammar, change the reply's form or go on without: `--override "
                    "constrain=prefer`" + (f"; else: {error.help}" if error.help else ""),
                ) from error
            why = f"the server refuses its grammar: {_printable(str(error), LONGEST_REASON)}"
        # If this fails too, it wasn't the grammar.
        completion = await gateway.sample(free)
        self._refused.add((id(gateway), step.name))
        self._note(profile, constrain, step, why)
        return completion

    def _note(self, profile: str, constrain: Constrain, step: Step, why: str) -> None:
        if (profile, step.name) in self._noted:
            return
        self._noted.add((profile, step.name))
        self._notes.found(ConstraintRecord(profile, constrain.dialect, constrain.mode, True, why, step.name))
        self._notes.told(f"the replies of step `{step.name}` are not constrained: {why}")

    async def _refute(self, gateway: Gateway, constrain: Constrain, max_tokens: int) -> str | None:
        """Why nothing shows that the server enforces grammars; None where the proof succeeds."""
        if constrain.hindrance is not None:
            return constrain.hindrance
        nonce = "".join(self._random.choices("bcdfghjkmnpqrstvwxz", k=12))
        # A question of no step's: real providers see the prompt alone, and the others constrain nothing.
        question = Question(0, cast(Step, None), {})
        grammar = proof_grammar(constrain.target, nonce)
        try:
            completion = await gateway.sample(
                Request(question, PROOF_PROMPT, None, max_tokens, (Draw(0, 0),), phase="proof", grammar=grammar)
            )
        except PermanentError as error:
            if not _may_be_about_grammars(error, constrain):
                raise
            return f"it refuses the request: {_printable(str(error), LONGEST_REASON)}"
        except ProviderUnavailable as error:
            # A server that breaks over a grammar; if it is down for good, the first step finds that out too.
            if error.status not in (500, 501) or constrain.mode == "require":
                raise
            return f"it fails at the request: {_printable(str(error), LONGEST_REASON)}"
        self._notes.paid(completion)
        text = completion.replies[0].text if completion.replies else ""
        if proves(constrain.target, nonce, text):
            return None
        shown = _printable(text, LONGEST_REPLY_SHOWN)
        if completion.replies and completion.replies[0].finish == "length":
            said = f"“{shown}”" if shown else "nothing"
            return f"it had said {said} at {max_tokens:,} tokens; a model that thinks needs more `max_tokens`"
        if not shown:
            return "its answer is empty"
        return f"it answered “{shown}”, which the grammar does not allow"


def unwritable_steps(
    steps: Iterable[Step], main: Provider, named: Mapping[str, Provider] | None = None
) -> list[Diagnostic]:
    """What can be known before any call: steps whose profile requires a grammar that can't be written."""
    found = []
    for step, name, provider in _answering(steps, main, named or {}):
        constrain = provider.constrain
        if constrain is None or constrain.mode != "require":
            continue
        try:
            step.reply.export(constrain.target)
        except NotExpressible as error:
            title = _unwritable(step, constrain, error)
            option = f"constrain of {provider.name}"
            found.append(refusal("MK558", title, option, "require", _unwritable_help(error, name)))
    return found


def tokens_by_profile(policies: Mapping[str, PolicyRecord]) -> dict[str, int]:
    """The longest reply that steps may have of each profile, where that is bounded."""
    found: dict[str, int] = {}
    for policy in policies.values():
        form = policy.form
        said = [(policy.profile, policy.max_tokens), (None, None) if form is None else (form.profile, form.max_tokens)]
        named = [*(one.profile for one in policy.voters), *(one.profile for one in policy.ladder)]
        said += [(name, policy.max_tokens) for name in named if name is not None]
        for profile, tokens in said:
            if tokens is not None and tokens.value is not None:
                name = MAIN_PROFILE if profile is None else profile
                found[name] = max(found.get(name, 0), int(tokens.value))
    return found


def _answering(
    steps: Iterable[Step], main: Provider, named: Mapping[str, Provider]
) -> Iterator[tuple[Step, str, Provider]]:
    """Which profile and provider gives the replies of each step, or puts them into form."""
    for step in steps:
        name: ProfileName | None = step.profile if step.formatting is None else step.formatting.profile
        found = None if name is None else named.get(name.name)
        if name is None or found is None:
            yield step, MAIN_PROFILE, main
        else:
            yield step, name.name, found


def _may_be_about_grammars(error: PermanentError, constrain: Constrain) -> bool:
    """Whether the refusal of a proof may be one of grammars, and not of every call."""
    if error.kind in _NEVER_ABOUT_GRAMMARS:
        return False
    # Servers without the Responses API don't know its address. Where a grammar is preferred, a model that isn't there
    # is found out by the first step.
    return error.kind != "unknown_model" or constrain.mode == "prefer" or constrain.dialect == "openai-tool"


def _unwritable(step: Step, constrain: Constrain, error: NotExpressible) -> str:
    return f"the replies of step `{step.name}` can't be constrained as `{constrain.dialect}`: {error.why}"


def _without(profile: str) -> str:
    """How to do without a constraint: `--override` reaches the run's own profile alone."""
    if profile == MAIN_PROFILE:
        return "go on without: `--override constrain=prefer`"
    return f'go on without: `--with {profile}=PROFILE`, one with `constrain = "prefer"`'


def _unwritable_help(error: NotExpressible, profile: str) -> str:
    able = ", ".join(f'`"{dialect}"`' for dialect, target in TARGETS.items() if target in error.others)
    elsewhere = f", or `constrain_as` if the server takes another ({able} could say it)" if able else ""
    return f"change the reply's form{elsewhere}, or {_without(profile)}"


def _printable(text: str, most: int) -> str:
    """What others said on one line, without anything that a terminal or a journal could trip over."""
    shown = " ".join("".join(each if each.isprintable() else " " for each in text[: 4 * most]).split())
    return shown if len(shown) <= most else shown[:most] + "…"


class JournalNotes:
    """The notes of a run: its journal, and whoever watches."""

    def __init__(self, ledger: RunLedger, recorder: Recorder, observer: Observer | None) -> None:
        self._ledger = ledger
        self._recorder = recorder
        self._observer = observer

    def paid(self, completion: Completion) -> None:
        """The call of a proof: paid for like any other, and no sample of any step."""
        call, reserved = self._ledger.take_answered()
        usage = completion.usage
        self._recorder.call(
            CallRecord(
                self._recorder.fold.run.root.index,
                (),
                usage=None if usage is None else (usage.input_tokens, usage.output_tokens, usage.cached_input_tokens),
                cost_usd=call.cost_usd,
                reserved=reserved,
                latency_s=round(call.latency_s, 3),
            )
        )

    def found(self, record: ConstraintRecord) -> None:
        """What came of it, for status and for those who ask later."""
        self._recorder.constraint(record)
        self._recorder.flush()

    def told(self, text: str) -> None:
        """Said once, to whoever watches."""
        if self._observer is not None:
            self._observer.told(text)
