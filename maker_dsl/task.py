"""The narrow waist: a compiled task, bound to its inputs.

The language half makes a `Task`; the execution half begins with it. It holds pure functions over plain values and
data, and nothing of how they were written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, get_args

from maker_dsl.diagnostics import Diagnostic, Span
from maker_dsl.types.errors import ValueRefused
from maker_dsl.types.json_text import read_json
from maker_dsl.types.type import RecordType, Type

Value = Any
"""A value of one of the language's types, see `types.type`."""

State = dict[str, Value]
"""The state: its fields by name. Never changed in place."""

Locals = dict[str, Value]
"""The values of a step's `let`s."""

ReplyValue = dict[str, Value]
"""The typed value of a reply: its fields by name."""

Finish = Literal["stop", "length", "filtered", "other"]
"""Why a model ended its reply: by itself, at the token limit, by a content filter, or something else."""

Target = Literal["lark", "llguidance", "gbnf", "json-schema", "regex"]
"""A notation that a reply's form can be exported to, for constrained decoding and other tools."""

TARGETS: tuple[Target, ...] = get_args(Target)


class NotExpressible(Exception):
    """A reply's form can't be written in a target's notation: why, and which targets can express it."""

    def __init__(self, target: Target, why: str, others: tuple[Target, ...] = ()) -> None:
        instead = f"; {', '.join(others)} can" if others else ""
        super().__init__(f"{target} can't express this reply: {why}{instead}")
        self.target = target
        self.why = why
        self.others = others


class TaskError(Exception):
    """The task's own text failed on a value that no reply brought in: an initial state, a `when`, a prompt.

    Carries the finding with its place in the `.maker` file; the command line exits with 2.
    """

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.title)
        self.diagnostic = diagnostic


@dataclass(frozen=True, slots=True)
class Prompt:
    """What one sample asks: the part that never changes, if the task has one, and the rest."""

    system: str | None
    user: str


@dataclass(frozen=True, slots=True)
class RawReply:
    """A model's reply before it is judged: what `reply.text`, `reply.tokens` and `reply.finish` describe."""

    text: str
    tokens: int
    finish: Finish


@dataclass(frozen=True, slots=True)
class Parsed:
    """A reply that was found and read: its value, and where it stood in the text (character offsets)."""

    value: ReplyValue
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Refused:
    """A reply that could not be read: at which stage, why, and where in the text (character offset)."""

    stage: Literal["locate", "parse", "type"]
    message: str
    offset: int | None


class ReplyFormat(Protocol):
    """The one description of a step's reply, used everywhere. Implemented in `maker_dsl.replies`."""

    @property
    def type(self) -> RecordType:
        """The concrete type of the reply value."""
        ...

    @property
    def instructions(self) -> str:
        """What `{{ reply.format }}` puts into the prompt."""
        ...

    @property
    def example(self) -> str:
        """What `{{ reply.example }}` puts into the prompt: one reply in canonical form."""
        ...

    @property
    def longest_tokens(self) -> int | None:
        """The tokens that a right reply has at most, with its reasoning; None where types and grammar set no bound."""
        ...

    @property
    def grammar(self) -> str:
        """The Lark grammar that is the meaning of the format."""
        ...

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON Schema of the reply value."""
        ...

    def export(self, target: Target) -> str:
        """The grammar, regex or JSON Schema of whole outputs that hold nothing but a reply in its place.

        All that it admits is read by `read`, but for what the export itself says is left to reading. Raises
        `NotExpressible`.
        """
        ...

    def read(self, text: str) -> Parsed | Refused:
        """Locate, parse and type the reply in a model's text. Linear in the text; never raises on any text."""
        ...

    def render(self, value: ReplyValue) -> str:
        """The canonical text of a value; reading it gives the value back."""
        ...


class PluginBroken(Exception):
    """A plug-in that is allowed can't be used; the message says why."""


class Checkers(Protocol):
    """The checkers of the plug-ins that somebody has allowed. Implemented in `maker_dsl.plugins`."""

    def version(self, plugin: str) -> str | None:
        """The version of a plug-in; None where it is not allowed. Raises PluginBroken."""
        ...

    def names(self, plugin: str) -> tuple[str, ...]:
        """The checkers of an allowed plug-in."""
        ...

    def signature(self, plugin: str, name: str) -> tuple[tuple[str, ...], str] | None:
        """The types of a checker's parameters and of its result as the language writes them; None: there is none."""
        ...

    def function(self, plugin: str, name: str) -> Callable[..., Value]:
        """A checker; calling it raises EvaluationError where it can't say."""
        ...


@dataclass(frozen=True, slots=True)
class Check:
    """A compiled `rule` or `flag`; `passes(state, locals, reply, raw)` says whether the reply may go on."""

    kind: Literal["rule", "flag"]
    why: str
    passes: Callable[[State, Locals, ReplyValue, RawReply], bool]


@dataclass(frozen=True, slots=True)
class ProfileName:
    """A provider profile that a task names, and where."""

    name: str
    place: Span


@dataclass(frozen=True, slots=True)
class Rung:
    """Further samples of a step that its cap leaves undecided: of another model, in one wording, or just more."""

    samples: int
    profile: ProfileName | None = None
    """None: of the models that the step has anyway."""
    variant: str | None = None
    """The name of the wording; None: over all of them in turn."""


@dataclass(frozen=True, slots=True)
class VoteSettings:
    """What a `vote` block says; None where it says nothing. Temperatures are as for the provider."""

    ahead_by: int | None = None
    max_samples: int | None = None
    first_temperature: float | None = None
    temperature: float | None = None
    ladder: tuple[Rung, ...] = ()
    """What is drawn beyond `max_samples` while the step is not decided."""


@dataclass(frozen=True, slots=True)
class Wording:
    """One way to put a step's question; `render` raises TaskError."""

    name: str
    render: Callable[[State, Locals], Prompt]


@dataclass(frozen=True, slots=True)
class Formatting:
    """How a second call puts a thought into the reply's form: `then format with`.

    `render(state, locals, thought)` raises `expressions.errors.EvaluationError`: the thought is a model's.
    """

    profile: ProfileName
    render: Callable[[State, Locals, str], Prompt]
    max_tokens: int | None = None
    """Room for the longest right form; None: nothing is known."""


@dataclass(frozen=True, slots=True)
class Step:
    """One kind of micro-step.

    Functions of the state raise `TaskError`. Functions that also take a reply raise
    `expressions.errors.EvaluationError` with what went wrong in the task's words.
    """

    name: str
    applies: Callable[[State], bool]
    state_locals: Callable[[State], Locals]
    """The `let`s that look at the state alone; computed once per step."""
    reply_locals: Callable[[State, Locals, ReplyValue, RawReply], Locals] | None
    """All the `let`s, where some look at the reply; None where none does."""
    render: Callable[[State, Locals], Prompt]
    reply: ReplyFormat
    checks: tuple[Check, ...]
    """Rules and flags in the order of the file."""
    update: Callable[[State, Locals, ReplyValue, RawReply], State]
    """The new state, whole, not yet validated."""
    vote_key: Callable[[ReplyValue], str]
    """The canonical key under which a reply votes: of the whole value, or of what `vote { on … }` names."""
    vote: VoteSettings
    """The step's own settings over the task's."""
    reference: Callable[[State], ReplyValue] | None
    """The correct reply; raises TaskError."""
    mistakes: tuple[Callable[[State], ReplyValue], ...]
    """Plausible wrong replies that the task declares for rehearsals; raise TaskError."""
    variants: tuple[Wording, ...] = ()
    """Further wordings of the prompt; samples rotate over `wordings`."""
    profile: ProfileName | None = None
    """The profile that its samples come from; None: the run's."""
    formatting: Formatting | None = None
    """Where the reply is a thought first: how it is put into form."""
    max_tokens: int | None = None
    """Room for the longest right reply: what a reply may have where nobody says; None: nothing is known."""
    overlong_above: int | None = None
    """A reply of more tokens can't be right and is flagged; None: the task has a flag of its own, or no bound."""
    place: Span | None = None
    """Where the step is written."""

    @property
    def wordings(self) -> tuple[Wording, ...]:
        """All wordings; the first is `render`."""
        return (Wording("prompt", self.render), *self.variants)

    @property
    def profiles(self) -> tuple[ProfileName, ...]:
        """The profiles that the step names."""
        formatting = None if self.formatting is None else self.formatting.profile
        named = (self.profile, formatting, *(rung.profile for rung in self.vote.ladder))
        return tuple(one for one in named if one is not None)


@dataclass(frozen=True, slots=True)
class SubTask:
    """A `run` of a step: a task to be carried out once, or with `is_many` once for every item of a list.

    `inputs(state, locals)` are the inputs of each sub-run, one mapping where it is not `is_many`; raises TaskError.
    `bind(inputs)` is the task over them; raises TaskError, pointing at the `run`, where they are refused.
    """

    name: str
    """What the step calls the result."""
    task: str
    is_many: bool
    inputs: Callable[[State, Locals], tuple[Mapping[str, Value], ...]]
    bind: Callable[[Mapping[str, object]], Task]


@dataclass(frozen=True, slots=True)
class RunStep:
    """A step that asks no model: it runs tasks, side by side, and takes their results over. Raises TaskError."""

    name: str
    applies: Callable[[State], bool]
    state_locals: Callable[[State], Locals]
    runs: tuple[SubTask, ...]
    update: Callable[[State, Locals, Mapping[str, Value]], State]
    """The new state, validated, from the results by name: a result, or the list of results in the order of items."""

    @property
    def tasks(self) -> tuple[str, ...]:
        """The names of the tasks that it runs, each once."""
        return tuple(dict.fromkeys(run.task for run in self.runs))


@dataclass(frozen=True, slots=True)
class StepOutline:
    """What is known of a step before any input: whether it has a reference, and the profiles that it names."""

    name: str
    has_reference: bool
    profiles: tuple[ProfileName, ...] = ()


@dataclass(frozen=True, slots=True)
class TaskOutline:
    """A task that a run may come to, and those of its steps that ask a model."""

    task: str
    steps: tuple[StepOutline, ...]
    plugins: Mapping[str, str] = field(default_factory=dict)
    """The plug-ins that its checkers come from and that are allowed, with their versions."""
    unallowed: Mapping[str, Diagnostic] = field(default_factory=dict)
    """By name, what to say of plug-ins that are not allowed; calling one of their checkers raises TaskError."""


@dataclass(frozen=True, slots=True)
class Invariant:
    """A compiled `invariant`: must hold of every state."""

    why: str
    holds: Callable[[State], bool]


class ValueCodec(Protocol):
    """What a type gives at the boundary of the program. Implemented in `maker_dsl.types`."""

    @property
    def type(self) -> Type:
        """The concrete type."""
        ...

    @property
    def schema(self) -> dict[str, Any]:
        """Its JSON Schema (2020-12)."""
        ...

    def validate(self, value: object) -> Value:
        """The typed value of a decoded JSON value or typed value; raises `types.errors.ValueRefused`."""
        ...

    def load(self, text: str | bytes) -> Value:
        """The typed value of a JSON text, decimals exact; raises `types.errors.ValueRefused`."""
        ...

    def dump(self, value: Value) -> bytes:
        """The canonical JSON text: sorted keys, no white space, one spelling for each number."""
        ...


@dataclass(frozen=True, slots=True)
class TaskTest:
    """A compiled `test`: a task bound to the test's inputs, the given state, the step, the reply, what to expect."""

    name: str
    task: Task
    state: State
    step: str | None
    reply: str
    verdict: Literal["accept", "reject"]
    reason: str | None
    then: tuple[tuple[str, Callable[[State], bool]], ...]
    """Conditions over the new state, each with its source text."""


@dataclass(frozen=True, slots=True)
class Task:
    """A task bound to its inputs."""

    name: str
    about: str | None
    source_name: str
    source_text: str
    inputs: Mapping[str, Value]
    inputs_codec: ValueCodec
    state_codec: ValueCodec
    initial_state: State
    steps: tuple[Step, ...]
    """The steps that ask a model."""
    invariants: tuple[Invariant, ...]
    is_done: Callable[[State], bool]
    result: Callable[[State], Value]
    result_codec: ValueCodec
    expected_steps: int | None
    next_step: Callable[[State], Step | RunStep]
    """The first step that applies; raises TaskError when none does."""
    run_steps: tuple[RunStep, ...] = ()
    """The steps that run other tasks."""
    outlines: tuple[TaskOutline, ...] = ()
    """This task, and all that it may run, directly or not."""

    @property
    def plugins(self) -> dict[str, str]:
        """The allowed plug-ins that it and the tasks that it runs need, with their versions."""
        return {name: version for outline in self.outlines for name, version in outline.plugins.items()}

    @property
    def unallowed(self) -> tuple[Diagnostic, ...]:
        """What to say of plug-ins that it or a task that it runs needs and that are not allowed."""
        found = {name: one for outline in self.outlines for name, one in outline.unallowed.items()}
        return tuple(found.values())

    def read_state(self, text: str | bytes) -> State:
        """A state from JSON text, as `complete_state` of what it says; numbers exact."""
        return self.complete_state(read_json(text))

    def complete_state(self, given: object) -> State:
        """A state from decoded JSON or values, fields left out as in the initial state; raises ValueRefused."""
        if not isinstance(given, Mapping):
            raise ValueRefused("", "expected a JSON object with fields of the state")
        return self.state_codec.validate({**self.initial_state, **given})  # type: ignore[no-any-return]

    def step(self, name: str) -> Step:
        """The step of that name; raises KeyError."""
        for step in self.steps:
            if step.name == name:
                return step
        raise KeyError(name)
