"""The tree of a `.maker` file: what the parser makes and the checker reads.

Nodes are frozen and carry the span of their source text. The same construct keeps the same file name in every phase.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Literal

from msgspec import Struct

from maker_dsl.diagnostics.source import Span


class Node(Struct, frozen=True):
    """Anything with a place in the file."""

    span: Span


class Identifier(Node, frozen=True):
    """A name where it is declared or used, with its own span."""

    name: str


class Text(Node, frozen=True):
    """A string or text block after escapes and dedenting; `span` covers the quotes.

    `pieces` maps back to the file: ascending pairs (index in value, offset in the source). Where something was left out
    (indentation), the same index stands twice: with the end of what is before it and the start of what is after it.
    """

    value: str
    pieces: tuple[tuple[int, int], ...]

    def part(self, start: int, end: int) -> Span:
        """The source span of value[start:end]."""
        begin = self._offset(bisect_right(self.pieces, (start, self.span.end)) - 1, start)
        at = bisect_right(self.pieces, (end, -1))
        ends_piece = at < len(self.pieces) and self.pieces[at][0] == end
        return Span(self.span.source, begin, max(begin + 1, self._offset(at if ends_piece else at - 1, end)))

    def _offset(self, piece: int, index: int) -> int:
        value_index, offset = self.pieces[max(piece, 0)]
        return min(offset + index - value_index, self.span.end)


# Expressions -----------------------------------------------------------------------------------------------------


class IntLiteral(Node, frozen=True):
    """`12`, `1_000`."""

    value: int


class FractionLiteral(Node, frozen=True):
    """`1.5`, `1e-3`: a decimal where a decimal is wanted, else a float."""

    text: str


class StringLiteral(Node, frozen=True):
    """`"x"`: a string, or an enum value where one is wanted."""

    value: str


class BoolLiteral(Node, frozen=True):
    """`true`, `false`."""

    value: bool


class NullLiteral(Node, frozen=True):
    """`null`."""


class Name(Node, frozen=True):
    """A name in an expression."""

    name: str


class FieldAccess(Node, frozen=True):
    """`object.name`."""

    object: Expression
    name: Identifier


class Index(Node, frozen=True):
    """`object[index]`."""

    object: Expression
    index: Expression


class Slice(Node, frozen=True):
    """`object[start:stop:step]`."""

    object: Expression
    start: Expression | None
    stop: Expression | None
    step: Expression | None


class Unary(Node, frozen=True):
    """`-x`, `+x`, `not x`."""

    operator: Literal["-", "+", "not"]
    operand: Expression


BinaryOperator = Literal["+", "-", "*", "/", "//", "%", "**", "and", "or", "??"]


class Binary(Node, frozen=True):
    """Arithmetic, `and`, `or`, `??`."""

    operator: BinaryOperator
    left: Expression
    right: Expression


CompareOperator = Literal["==", "!=", "<", "<=", ">", ">=", "in", "not in"]


class Compare(Node, frozen=True):
    """A comparison chain: `a < b <= c` has first a and rest ((<, b), (<=, c))."""

    first: Expression
    rest: tuple[tuple[CompareOperator, Expression], ...]


class Conditional(Node, frozen=True):
    """`then if condition else otherwise`."""

    then: Expression
    condition: Expression
    otherwise: Expression


class ListLiteral(Node, frozen=True):
    """`[a, b]`: a list, or a tuple with named places where one is wanted."""

    items: tuple[Expression, ...]


class RecordMember(Node, frozen=True):
    """`name: value` in a record literal."""

    name: Identifier
    value: Expression


class Spread(Node, frozen=True):
    """`...record` in a record literal."""

    value: Expression


class RecordLiteral(Node, frozen=True):
    """`{ ...r, note: "x" }`; `{}` is the empty map."""

    entries: tuple[RecordMember | Spread, ...]


class MapLiteral(Node, frozen=True):
    """`{ "key": value }`."""

    entries: tuple[tuple[Expression, Expression], ...]


class ForClause(Node, frozen=True):
    """`for a in xs if c if d`; `for k, v in map` names two."""

    names: tuple[Identifier, ...]
    iterable: Expression
    conditions: tuple[Expression, ...]


class ListComprehension(Node, frozen=True):
    """`[item for …]`."""

    item: Expression
    clauses: tuple[ForClause, ...]


class MapComprehension(Node, frozen=True):
    """`{ key: value for … }`."""

    key: Expression
    value: Expression
    clauses: tuple[ForClause, ...]


class Generator(Node, frozen=True):
    """`item for …` as the only argument of a call such as `all( … )`."""

    item: Expression
    clauses: tuple[ForClause, ...]


class KeywordArgument(Node, frozen=True):
    """`reverse=true` in a call."""

    name: Identifier
    value: Expression


class Call(Node, frozen=True):
    """A call of a def or builtin by its name; positional arguments first."""

    function: Identifier
    arguments: tuple[Expression | Generator, ...]
    keywords: tuple[KeywordArgument, ...]


Expression = (
    IntLiteral
    | FractionLiteral
    | StringLiteral
    | BoolLiteral
    | NullLiteral
    | Name
    | FieldAccess
    | Index
    | Slice
    | Unary
    | Binary
    | Compare
    | Conditional
    | ListLiteral
    | RecordLiteral
    | MapLiteral
    | ListComprehension
    | MapComprehension
    | Call
)


# Types -----------------------------------------------------------------------------------------------------------


class TypeName(Node, frozen=True):
    """`int`, `Peg`, and in format texts `line` and `text`."""

    name: str


class TypeRange(Node, frozen=True):
    """`int in 0..2`, `decimal in 0..`, `float in ..1`; bounds are expressions over inputs."""

    base: TypeName
    low: Expression | None
    high: Expression | None


class TypeString(Node, frozen=True):
    """`string matching /re/ up to 200`: either or both; a pattern is the text between the slashes."""

    pattern: Text | None
    max_length: Expression | None


class TypeEnum(Node, frozen=True):
    """`"debit" | "credit"`."""

    values: tuple[Text, ...]


class TypeList(Node, frozen=True):
    """`list[T]`, `list[T] of 3` (low is high), `list[T] of 1..5`, `list[T] of 1..`."""

    item: TypeExpression
    low: Expression | None
    high: Expression | None


class TypeMap(Node, frozen=True):
    """`map[string, T]`."""

    key: TypeExpression
    value: TypeExpression


class TypeMember(Node, frozen=True):
    """`name: T` in a record or tuple type, a json or grammar reply."""

    name: Identifier
    type: TypeExpression


class TypeRecord(Node, frozen=True):
    """`{ name: T, note: T? }`."""

    members: tuple[TypeMember, ...]


class TypeTuple(Node, frozen=True):
    """`[disk: Disk, source: Peg]`."""

    places: tuple[TypeMember, ...]


class TypeOptional(Node, frozen=True):
    """`T?`."""

    inner: TypeExpression


TypeExpression = (
    TypeName | TypeRange | TypeString | TypeEnum | TypeList | TypeMap | TypeRecord | TypeTuple | TypeOptional
)


# Parts of a task -------------------------------------------------------------------------------------------------


class About(Node, frozen=True):
    """`about "…"`."""

    text: Text


class Input(Node, frozen=True):
    """`input name: T = default`."""

    name: Identifier
    type: TypeExpression
    default: Expression | None


class TypeDeclaration(Node, frozen=True):
    """`type N = T`."""

    name: Identifier
    type: TypeExpression


class StateField(Node, frozen=True):
    """`f: T = init`; the initial value is required."""

    name: Identifier
    type: TypeExpression
    initial: Expression


class StateBlock(Node, frozen=True):
    """`state { … }`."""

    fields: tuple[StateField, ...]


class Invariant(Node, frozen=True):
    """`invariant "why": e`."""

    why: Text
    condition: Expression


class Parameter(Node, frozen=True):
    """`a: T` of a def."""

    name: Identifier
    type: TypeExpression


class Definition(Node, frozen=True):
    """`def f(a: T) -> T = e`."""

    name: Identifier
    parameters: tuple[Parameter, ...]
    result: TypeExpression
    body: Expression


class Checker(Node, frozen=True):
    """`checker f(a: T) -> T from "plugin"`: a function that a plug-in provides, to be called in rules and flags."""

    name: Identifier
    parameters: tuple[Parameter, ...]
    result: TypeExpression
    plugin: Text


class DoneWhen(Node, frozen=True):
    """`done when e`."""

    condition: Expression


class Assignment(Node, frozen=True):
    """`f = e` in update, given, result, reference and mistake blocks."""

    name: Identifier
    value: Expression


class Result(Node, frozen=True):
    """`result { name = e }`."""

    assignments: tuple[Assignment, ...]


class Expect(Node, frozen=True):
    """`expect e steps`."""

    count: Expression


class VoteSetting(Node, frozen=True):
    """One setting of a vote block, its value still an expression over inputs.

    kind "ahead_by": `ahead by 3`; "max_samples": `at most 60 samples`; "temperature": `temperature 0.1`, or
    `temperature 0 then 0.1` with `first` set; "on": `on move` (value is an expression over reply fields).
    """

    kind: Literal["ahead_by", "max_samples", "temperature", "on"]
    value: Expression
    first: Expression | None = None


class WithProfile(Node, frozen=True):
    """`with profile "strong"`: the provider profile that samples of a step, or of a rung, come from."""

    profile: Text


class WithVariant(Node, frozen=True):
    """`with variant "short"`: the wording that the samples of a rung are asked in."""

    variant: Text


class Rung(Node, frozen=True):
    """`then 40 samples with profile "strong" with variant "short"`: what a contested step goes on with."""

    samples: Expression
    parts: tuple[WithProfile | WithVariant, ...]


class VoteBlock(Node, frozen=True):
    """`vote { ahead by 3; at most 60 samples; then 40 samples; on move }`, of a task or of a step."""

    settings: tuple[VoteSetting | Rung, ...]


class Hole(Node, frozen=True):
    """`{name: T}` in a format text."""

    name: Identifier
    type: TypeExpression


class ReplyText(Node, frozen=True):
    """`reply "next = {value: int}"`: literal pieces (with `{{` and `}}` already single) and holes in order."""

    text: Text
    pieces: tuple[str | Hole, ...]


class ReplyJson(Node, frozen=True):
    """`reply json { move: Move }`."""

    members: tuple[TypeMember, ...]


class ReplyGrammar(Node, frozen=True):
    """`reply grammar \"\"\"…\"\"\" { … }`, or `reply grammar from "name" { … }` (then `path` is set).

    Without braces `members` is None until the checker puts those in that the grammar file declares.
    """

    grammar: Text | None
    path: Text | None
    members: tuple[TypeMember, ...] | None


class Placement(Node, frozen=True):
    """Where the reply stands; `tag` only with kind "tag"."""

    kind: Literal["end", "whole", "fenced", "tag"]
    tag: Text | None = None


class FormatWith(Node, frozen=True):
    """`then format with "profile" "…"`: a second call puts the answer into form; `prompt` is a template, or None."""

    profile: Text
    prompt: Text | None


class Reply(Node, frozen=True):
    """`reply …`, with its placement (None: at end)."""

    notation: ReplyText | ReplyJson | ReplyGrammar
    placement: Placement | None
    format_with: FormatWith | None = None


class Let(Node, frozen=True):
    """`let x = e`, a local of the step; it may look at the reply, then prompts can't use it."""

    name: Identifier
    value: Expression


class Check(Node, frozen=True):
    """`rule "why": e` (must hold) or `flag "why": e` (must not hold)."""

    kind: Literal["rule", "flag"]
    why: Text
    condition: Expression


class Update(Node, frozen=True):
    """`update { f = e }`."""

    assignments: tuple[Assignment, ...]


class Prompt(Node, frozen=True):
    """`system "…"`, `prompt "…"` or `prompt variant "name" "…"`: a Jinja template."""

    kind: Literal["system", "prompt"]
    template: Text
    variant: Text | None = None


class ForEach(Node, frozen=True):
    """`for each x in xs` behind a `run`; `for each k, v in map` names two."""

    names: tuple[Identifier, ...]
    iterable: Expression


class Run(Node, frozen=True):
    """`run x = task(input = e)`, with `each` once for every item of a list: then `x` is the list of results."""

    name: Identifier
    task: Identifier
    arguments: tuple[KeywordArgument, ...]
    each: ForEach | None


StepPart = Prompt | WithProfile | Let | Run | Reply | Check | Update | VoteBlock


class Step(Node, frozen=True):
    """`step name when e { … }`; a step without a name is called `step`."""

    name: Identifier | None
    when: Expression | None
    parts: tuple[StepPart, ...]


class Mistake(Node, frozen=True):
    """`mistake { … }` in a reference: a plausible wrong reply for the simulated model; unset fields are right."""

    assignments: tuple[Assignment, ...]


class Reference(Node, frozen=True):
    """`reference step { let x = e; field = e; mistake { … } }`: the correct reply; step None: the only step."""

    step: Identifier | None
    lets: tuple[Let, ...]
    assignments: tuple[Assignment, ...]
    mistakes: tuple[Mistake, ...]


class Test(Node, frozen=True):
    """`test "…" { set { inputs }; given { … }; step name; reply "…"; accept | reject "…"; then e }`.

    `inputs` come from `with { disks = 3 }`, `step` from `step name` (else the first that applies). `reject` None with
    `verdict` "reject" accepts any reason. `then` are conditions over the new state.
    """

    name: Text
    inputs: tuple[Assignment, ...]
    given: tuple[Assignment, ...]
    step: Identifier | None
    reply: Text
    verdict: Literal["accept", "reject"]
    reason: Text | None
    then: tuple[Expression, ...]


TaskPart = (
    About
    | Input
    | TypeDeclaration
    | StateBlock
    | Invariant
    | Definition
    | DoneWhen
    | Result
    | Expect
    | Step
    | VoteBlock
    | Reference
    | Test
    | Checker
)


class TaskDeclaration(Node, frozen=True):
    """`task name { … }`, its parts in the order of the file."""

    name: Identifier
    parts: tuple[TaskPart, ...]


class Use(Node, frozen=True):
    """`use "file.maker"`: the tasks of another file, to be run by their names."""

    path: Text


class TaskFile(Node, frozen=True):
    """A whole file: the version on its first line, if any, the files that it uses, and its tasks."""

    version: IntLiteral | None
    tasks: tuple[TaskDeclaration, ...]
    uses: tuple[Use, ...] = ()
