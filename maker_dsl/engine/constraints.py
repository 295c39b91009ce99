"""Constrained decoding in a run: the proof at its start, and the grammar that a kind of step is held to.

Used by `run` and the step loop. What a profile asks for counts only where its server has proved, in this process, that
it enforces a grammar; what came of it stands in the journal.
"""

from __future__ import annotations

from random import Random
from typing import Protocol, cast

from maker_dsl.engine.gateways import Gateways
from maker_dsl.engine.ledger import RunLedger
from maker_dsl.engine.recorder import Recorder
from maker_dsl.engine.records import MAIN_PROFILE, CallRecord, ConstraintRecord
from maker_dsl.engine.report import Observer
from maker_dsl.providers.constraint import PROOF_PROMPT, PROOF_TOKENS, Constrain, proof_grammar, proves
from maker_dsl.providers.gateway import Gateway
from maker_dsl.providers.port import Completion, Draw, PermanentError, Question, Request
from maker_dsl.task import NotExpressible, ReplyFormat, Step

LONGEST_REPLY_SHOWN = 80
MOST_REMEMBERED = 256


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

    async def prove(self) -> None:
        """Ask each server that is to constrain replies for a number that only the grammar names.

        Raises PermanentError where a profile requires what its server does not do, and as `Gateway.sample`.
        """
        named = {MAIN_PROFILE: self._gateways.main, **self._gateways.named}
        proved: set[int] = set()
        for name, gateway in named.items():
            constrain = gateway.provider.constrain
            if constrain is None or id(gateway) in proved:
                continue
            proved.add(id(gateway))
            why = await self._refute(gateway, constrain)
            who = gateway.provider.name
            self._notes.found(ConstraintRecord(name, constrain.dialect, constrain.mode, why is None, why))
            if why is None:
                self._enforced[id(gateway)] = name, constrain
                self._notes.told(f"{who} enforces grammars ({constrain.dialect}): replies are constrained")
            elif constrain.mode == "require":
                raise PermanentError(
                    f"{who} does not enforce grammars: {why}",
                    kind="not_enforced",
                    help="see whether `constrain_as` fits the server, or go on without: `--override constrain=prefer`",
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
            why = str(error)
            if constrain.mode == "require":
                raise PermanentError(
                    f"the replies of step `{step.name}` can't be constrained as {constrain.dialect}: {why}",
                    kind="not_expressible",
                    help="change the reply's form, or go on without: `--override constrain=prefer`",
                ) from error
            self._notes.found(ConstraintRecord(profile, constrain.dialect, constrain.mode, True, why, step.name))
            self._notes.told(f"the replies of step `{step.name}` are not constrained: {why}")
        if len(self._written) >= MOST_REMEMBERED:
            self._written.clear()
        self._written[id(gateway), id(step.reply)] = step.reply, grammar
        return grammar

    async def _refute(self, gateway: Gateway, constrain: Constrain) -> str | None:
        """Why nothing shows that the server enforces grammars; None where the proof succeeds."""
        nonce = "".join(self._random.choices("bcdfghjkmnpqrstvwxz", k=12))
        # A question of no step's: real providers see the prompt alone, and the others constrain nothing.
        question = Question(0, cast(Step, None), {})
        grammar = proof_grammar(constrain.target, nonce)
        try:
            completion = await gateway.sample(
                Request(question, PROOF_PROMPT, None, PROOF_TOKENS, (Draw(0, 0),), phase="proof", grammar=grammar)
            )
        except PermanentError as error:
            if error.status is None or error.status in (401, 402, 403, 404):
                raise
            return f"it refuses the request: {error}"
        self._notes.paid(completion)
        text = completion.replies[0].text if completion.replies else ""
        if proves(constrain.target, nonce, text):
            return None
        shown = text.strip().replace("\n", " ")
        shown = shown if len(shown) <= LONGEST_REPLY_SHOWN else shown[:LONGEST_REPLY_SHOWN] + "…"
        return f"it answered “{shown}” where the grammar allows something else alone"


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
