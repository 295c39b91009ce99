"""What the journal of a run says: the events, written by the engine and read by everything else.

`encoding` makes records of them. Typed values (inputs, states) stand in their own canonical JSON text as strings, so
that exact numbers survive any reader. The records of a step are not frozen for speed alone: nobody changes them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import ConfigDict

from maker_dsl.task import Finish

FORMAT = 1
"""The version of the payloads."""

DEFAULT_MAX_DEPTH = 64
"""How many tasks may stand above a sub-run."""

MAIN_PROFILE = ""
"""The name under which `defaults` have what the run's own profile and the command line say."""

RunStatus = Literal["done", "undecided", "limit", "interrupted", "failed"]

_STRICT = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True)
class SettingRecord:
    """A setting and where it came from."""

    value: float | int | None
    origin: str


@dataclass(frozen=True, slots=True)
class FormPolicyRecord:
    """How the thoughts of a kind of step are put into form. `profile` as in `PolicyRecord`."""

    temperature: SettingRecord
    max_tokens: SettingRecord
    profile: str | None = None


@dataclass(frozen=True, slots=True)
class VoterRecord:
    """A model that samples of a step go to. `profile` as in `PolicyRecord`; `weight` is what its votes count."""

    profile: str | None
    weight: int = 1000
    """In thousandths of a vote."""


@dataclass(frozen=True, slots=True)
class RungRecord:
    """Further samples of a step that stays contested. `profile` None: of the same voters, in the same turn."""

    samples: int
    profile: str | None = None
    wording: str | None = None
    """The name of the wording that they are asked in; None: over all of them in turn."""
    weight: int = 1000
    """What votes of `profile` count, in thousandths."""


@dataclass(frozen=True, slots=True)
class PolicyRecord:
    """How a kind of step is decided."""

    ahead_by: SettingRecord
    max_samples: SettingRecord
    first_temperature: SettingRecord
    temperature: SettingRecord
    max_tokens: SettingRecord | None = None
    """Tokens of one reply. None in runs of before there was a limit for each kind of step: then the run's holds."""
    profile: str | None = None
    """The name of the profile that its samples come from; None: the run's own."""
    wordings: tuple[str, ...] = ()
    """The names of its wordings, where there are several."""
    form: FormPolicyRecord | None = None
    """Where samples are thoughts that are put into form."""
    voters: tuple[VoterRecord, ...] = ()
    """Where several models vote: those that samples go to; empty where all come from `profile`."""
    order: Literal["rotate", "cheapest"] = "rotate"
    """Whether samples go over all voters in turn, or to the first until a step is contested."""
    ladder: tuple[RungRecord, ...] = ()
    """What is drawn beyond `max_samples`, rung by rung, before the step stays undecided."""
    adaptive: bool = False
    """Whether the run's stopping table decides, and `ahead_by` stands for steps that it says nothing of."""


@dataclass(frozen=True, slots=True)
class CapsRecord:
    """Limits of the whole run."""

    max_steps: int | None = None
    max_cost_usd: float | None = None
    max_samples: int | None = None
    max_tokens: int | None = None
    max_seconds: float | None = None
    max_depth: int = DEFAULT_MAX_DEPTH


@dataclass(frozen=True, slots=True)
class PriceRecord:
    """USD per million tokens."""

    input: float
    output: float
    cached_input: float | None = None


@dataclass(frozen=True, slots=True)
class ProfileRecord:
    """What stands for a name that the task's steps ask for. `profile` is the resolved one without secrets."""

    provider: str
    profile: dict[str, Any]
    price: PriceRecord | None = None


@dataclass(frozen=True, slots=True)
class AssumedRecord:
    """What a run takes a model to be, from its calibration; `low` ends are those of the intervals."""

    p: float
    p_low: float
    passing: float
    passing_low: float
    votes: int
    """On which this rests."""
    truth: Literal["reference", "agreement"] = "reference"
    cost_usd: float | None = None
    """Of a sample."""
    latency_s: float | None = None


@dataclass(frozen=True, slots=True)
class TableRecord:
    """The votes (leader, runner-up, others) at which a step is decided; `bound` is the leader's chance to be wrong."""

    bound: float
    maximum: int
    decided: tuple[tuple[int, int, int], ...]


@dataclass(frozen=True, slots=True)
class PlanRecord:
    """What a run counts on: worked out once, before it began, from calibrations by profile."""

    assumed: dict[str, AssumedRecord]
    """By the name of the profile; the run's own under the empty name."""
    steps: int | None = None
    target: float | None = None
    """The wanted chance that all steps are decided rightly: the error budget is what it leaves."""
    success: float | None = None
    """The chance that they are, by the figures."""
    votes_per_step: float | None = None
    table: TableRecord | None = None
    spent: tuple[float, int, int] = (0.0, 0, 0)
    """USD, tokens and samples of the run's own calibration, before its first step."""
    source: str = ""
    """Where the figures are from, in words."""


@dataclass(frozen=True, slots=True)
class RunRecord:
    """The first record: what runs, on what, set to what. Never a secret."""

    __pydantic_config__ = _STRICT

    format: int
    maker: str
    """The version of maker that started the run."""
    run: str
    started: str
    """ISO 8601, UTC."""
    task: str
    source: str
    """The name of the task's file."""
    task_sha256: str
    inputs: str
    inputs_sha256: str
    initial_hash: str
    """The hash of the initial state."""
    expected_steps: int | None
    provider: str
    profile: dict[str, Any]
    """The resolved profile without secrets."""
    price: PriceRecord | None
    policies: dict[str, PolicyRecord]
    max_tokens: int | None
    caps: CapsRecord
    seed: int
    keep: Literal["all", "contested", "none"]
    defaults: dict[str, PolicyRecord] = field(default_factory=dict)
    """How steps are decided whose task says nothing, by profile; only where the task runs other tasks."""
    plugins: dict[str, str] = field(default_factory=dict)
    """The plug-ins that the task's checkers come from, all allowed, with their versions."""
    profiles: dict[str, ProfileRecord] = field(default_factory=dict)
    """The profiles of steps, by the names that the task has for them; the run's own answers for all others."""
    plan: PlanRecord | None = None
    """What the run counts on, where it was planned."""


@dataclass(frozen=True, slots=True)
class FlagRecord:
    """Why a reply was discarded."""

    stage: str
    name: str
    detail: str
    offset: int | None = None


@dataclass(slots=True)
class ReplyRecord:
    """A reply that the step had not had before, and its verdict: a key, or a flag.

    `text` is None where the run doesn't keep it; then `state` is the state that a passing reply leads to, as
    canonical JSON.
    """

    finish: Finish
    tokens: int
    text: str | None = None
    key: str | None = None
    flag: FlagRecord | None = None
    state: str | None = None
    thought: int | None = None
    """The number of the thought that this is the form of, among the step's."""


@dataclass(frozen=True, slots=True)
class ThoughtRecord:
    """A thought that the step had not had before; with a `flag` it is never put into form."""

    finish: Finish
    tokens: int
    text: str
    flag: FlagRecord | None = None


@dataclass(slots=True)
class CallRecord:
    """One attempt: the draws it asked for and what came of it.

    `replies` are numbers into the list of the step's distinct replies, in the order of `draws`; `new` are those that
    this call adds to the list. `reserved` is what counts as spent where nobody knows what the call used. A call for
    thoughts has `thoughts` and `new_thoughts` in their place; their samples are complete with another call's replies.
    """

    __pydantic_config__ = _STRICT

    step: int
    draws: tuple[tuple[int, int], ...]
    """Slot, and how many flagged samples that slot had had."""
    temperature: float | None = None
    outcome: str = "ok"
    """`ok`, `cancelled`, or the kind of the provider's error."""
    new: tuple[ReplyRecord, ...] = ()
    replies: tuple[int, ...] = ()
    usage: tuple[int, int, int] | None = None
    """Tokens of input, of output, and of the input that was cached."""
    cost_usd: float | None = None
    reserved: tuple[float, int, int] | None = None
    """USD, tokens, samples."""
    latency_s: float = 0.0
    message: str | None = None
    texts: tuple[tuple[int, str], ...] = ()
    """Texts of earlier replies of the step, kept now that it is contested."""
    sub: int = 0
    """The sub-run that the step is of; 0 for the run itself."""
    wording: int = 0
    """Which of the step's wordings was asked."""
    new_thoughts: tuple[ThoughtRecord, ...] = ()
    thoughts: tuple[int, ...] = ()
    voter: int = 0
    """Which of the step's voters was asked; rungs of the ladder with a profile come after them."""


@dataclass(slots=True)
class DecisionRecord:
    """What won a step: `reply` is its first reply of the winning key, `value` that key; `votes` go by first reply."""

    __pydantic_config__ = _STRICT

    step: int
    kind: str
    value: str
    reply: int
    votes: tuple[tuple[int, int], ...]
    """The number of a key's first reply, and its votes, in the order in which the keys came up."""
    samples: int
    """Replies that the step has drawn, flagged ones included."""
    state_hash: str
    """The hash of the new state."""
    sub: int = 0


@dataclass(slots=True)
class SubRunRecord:
    """A sub-run begins: run `name` of step `step` of the run `parent`, for one `item` of its list where it is many."""

    __pydantic_config__ = _STRICT

    number: int
    """From 1, in the order of these records."""
    parent: int
    step: int
    name: str
    item: int | None
    task: str
    inputs: str
    """As canonical JSON, those left out with their defaults."""
    initial_hash: str
    policies: dict[str, PolicyRecord]
    expected_steps: int | None = None


@dataclass(slots=True)
class ReturnRecord:
    """A sub-run is done: its result as canonical JSON, and the steps it took, those of its own sub-runs included."""

    __pydantic_config__ = _STRICT

    number: int
    result: str
    steps: int


@dataclass(slots=True)
class ComposedRecord:
    """All sub-runs of a step are done, and their results are taken over into the new state."""

    __pydantic_config__ = _STRICT

    step: int
    kind: str
    state_hash: str
    sub: int = 0


@dataclass(frozen=True, slots=True)
class GrantRecord:
    """The totals that calls may use up from now on; durable before a call is paid from them."""

    __pydantic_config__ = _STRICT

    cost_usd: float
    tokens: int
    samples: int


@dataclass(frozen=True, slots=True)
class ResumedRecord:
    """Another process goes on. What was granted and not accounted for counts as spent."""

    __pydantic_config__ = _STRICT

    at: str
    maker: str
    provider: str
    caps: CapsRecord
    policies: dict[str, PolicyRecord]
    forfeited: tuple[float, int, int] = (0.0, 0, 0)
    defaults: dict[str, PolicyRecord] = field(default_factory=dict)
    profiles: dict[str, str] = field(default_factory=dict)
    """The providers that stand for names in the task from now on."""


@dataclass(frozen=True, slots=True)
class EndRecord:
    """The process stopped cleanly. A run that is not done can be resumed."""

    __pydantic_config__ = _STRICT

    status: RunStatus
    reason: str | None
    seconds: float
    """How long the run has been worked on, all processes together."""
    result: str | None = field(default=None)
    """The result as canonical JSON, where the run is done."""


@dataclass(frozen=True, slots=True)
class ConstraintRecord:
    """What came of constrained decoding: whether a server was seen to enforce a grammar, at the start of a process.

    With a `step`, why the replies of that kind are not constrained although the server would.
    """

    __pydantic_config__ = _STRICT

    profile: str
    """The name that the task has for it; empty for the run's own."""
    dialect: str
    mode: str
    enforced: bool
    why: str | None = None
    step: str | None = None


Event = (
    RunRecord
    | CallRecord
    | DecisionRecord
    | GrantRecord
    | ResumedRecord
    | EndRecord
    | SubRunRecord
    | ReturnRecord
    | ComposedRecord
    | ConstraintRecord
)
