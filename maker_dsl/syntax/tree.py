"""The tree of a `.maker` file: what the parser makes and the checker reads.

Nodes are frozen and carry the span of their source text. The same construct keeps the same file name in every phase.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import Literal

from maker_dsl.diagnostics.source import Span


@dataclass(frozen=True, slots=True)
class Node:
    """Anything with a place in the file."""

    span: Span


@dataclass(frozen=True, slots=True)
class Identifier(Node):
    """A name where it is declared or used, with its own span."""

    name: str


@dataclass(frozen=True, slots=True)
class Text(Node):
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


@dataclass(frozen=True, slots=True)
class IntLiteral(Node):
    """`12`, `1_000`."""

    value: int


@dataclass(frozen=True, slots=True)
class FractionLiteral(Node):
    """`1.5`, `1e-3`: a decimal where a decimal is wanted, else a float."""

    text: str


@dataclass(frozen=True, slots=True)
class StringLiteral(Node):
    """`"x"`: a string, or an enum value where one is wanted."""

    value: str


@dataclass(frozen=True, slots=True)
class BoolLiteral(Node):
    """`true`, `false`."""

    value: bool


@dataclass(frozen=True, slots=True)
class NullLiteral(Node):
    """`null`."""


@dataclass(frozen=True, slots=True)
class Name(Node):
    """A name in an expression."""

    name: str


@dataclass(frozen=True, slots=True)
class FieldAccess(Node):
    """`object.name`."""

    object: Expression
    name: Identifier


@dataclass(frozen=True, slots=True)
class Index(Node):
    """`object[index]`."""

    object: Expression
    index: Expression


@dataclass(frozen=True, slots=True)
class Slice(Node):
    """`object[start:stop:step]`."""

    object: Expression
    start: Expression | None
    stop: Expression | None
    step: Expression | None


@dataclass(frozen=True, slots=True)
class Unary(Node):
    """`-x`, `+x`, `not x`."""

    operator: Literal["-", "+", "not"]
    operand: Expression


BinaryOperator = Literal["+", "-", "*", "/", "//", "%", "**", "and", "or", "??"]


@dataclass(frozen=True, slots=True)
class Binary(Node):
    """Arithmetic, `and`, `or`, `??`."""

    operator: BinaryOperator
    left: Expression
    right: Expression


CompareOperator = Literal["==", "!=", "<", "<=", ">", ">=", "in", "not in"]


@dataclass(frozen=True, slots=True)
class Compare(Node):
    """A comparison chain: `a < b <= c` has first a and rest ((<, b), (<=, c))."""

    first: Expression
    rest: tuple[tuple[CompareOperator, Expression], ...]


@dataclass(frozen=True, slots=True)
class Conditional(Node):
    """`then if condition else otherwise`."""

    then: Expression
    condition: Expression
    otherwise: Expression


@dataclass(frozen=True, slots=True)
class ListLiteral(Node):
    """`[a, b]`: a list, or a tuple with named places where one is wanted."""

    items: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class RecordMember(Node):
    """`name: value` in a record literal."""

    name: Identifier
    value: Expression


@dataclass(frozen=True, slots=True)
class Spread(Node):
    """`...record` in a record literal."""

    value: Expression


@dataclass(frozen=True, slots=True)
class RecordLiteral(Node):
    """`{ ...r, note: "x" }`; `{}` is the empty map."""

    entries: tuple[RecordMember | Spread, ...]


@dataclass(frozen=True, slots=True)
class MapLiteral(Node):
    """`{ "key": value }`."""

    entries: tuple[tuple[Expression, Expression], ...]


@dataclass(frozen=True, slots=True)
class ForClause(Node):
    """`for a in xs if c if d`; `for k, v in map` names two."""

    names: tuple[Identifier, ...]
    iterable: Expression
    conditions: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class ListComprehension(Node):
    """`[item for …]`."""

    item: Expression
    clauses: tuple[ForClause, ...]


@dataclass(frozen=True, slots=True)
class MapComprehension(Node):
    """`{ key: value for … }`."""

    key: Expression
    value: Expression
    clauses: tuple[ForClause, ...]


@dataclass(frozen=True, slots=True)
class Generator(Node):
    """`item for …` as the only argument of a call such as `all( … )`."""

    item: Expression
    clauses: tuple[ForClause, ...]


@dataclass(frozen=True, slots=True)
class KeywordArgument(Node):
    """`reverse=true` in a call."""

    name: Identifier
    value: Expression


@dataclass(frozen=True, slots=True)
class Call(Node):
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


@dataclass(frozen=True, slots=True)
class TypeName(Node):
    """`int`, `Peg`, and in format texts `line` and `text`."""

    name: str


@dataclass(frozen=True, slots=True)
class TypeRange(Node):
    """`int in 0..2`, `decimal in 0..`, `float in ..1`; bounds are expressions over inputs."""

    base: TypeName
    low: Expression | None
    high: Expression | None


@dataclass(frozen=True, slots=True)
class TypeString(Node):
    """`string matching /re/ up to 200`: either or both; a pattern is the text between the slashes."""

    pattern: Text | None
    max_length: Expression | None


@dataclass(frozen=True, slots=True)
class TypeEnum(Node):
    """`"debit" | "credit"`."""

    values: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class TypeList(Node):
    """`list[T]`, `list[T] of 3` (low is high), `list[T] of 1..5`, `list[T] of 1..`."""

    item: TypeExpression
    low: Expression | None
    high: Expression | None


@dataclass(frozen=True, slots=True)
class TypeMap(Node):
    """`map[string, T]`."""

    key: TypeExpression
    value: TypeExpression


@dataclass(frozen=True, slots=True)
class TypeMember(Node):
    """`name: T` in a record or tuple type, a json or grammar reply."""

    name: Identifier
    type: TypeExpression


@dataclass(frozen=True, slots=True)
class TypeRecord(Node):
    """`{ name: T, note: T? }`."""

    members: tuple[TypeMember, ...]


@dataclass(frozen=True, slots=True)
class TypeTuple(Node):
    """`[disk: Disk, source: Peg]`."""

    places: tuple[TypeMember, ...]


@dataclass(frozen=True, slots=True)
class TypeOptional(Node):
    """`T?`."""

    inner: TypeExpression


TypeExpression = (
    TypeName | TypeRange | TypeString | TypeEnum | TypeList | TypeMap | TypeRecord | TypeTuple | TypeOptional
)


# Parts of a task -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class About(Node):
    """`about "…"`."""

    text: Text


@dataclass(frozen=True, slots=True)
class Input(Node):
    """`input name: T = default`."""

    name: Identifier
    type: TypeExpression
    default: Expression | None


@dataclass(frozen=True, slots=True)
class TypeDeclaration(Node):
    """`type N = T`."""

    name: Identifier
    type: TypeExpression


@dataclass(frozen=True, slots=True)
class StateField(Node):
    """`f: T = init`; the initial value is required."""

    name: Identifier
    type: TypeExpression
    initial: Expression


@dataclass(frozen=True, slots=True)
class StateBlock(Node):
    """`state { … }`."""

    fields: tuple[StateField, ...]


@dataclass(frozen=True, slots=True)
class Invariant(Node):
    """`invariant "why": e`."""

    why: Text
    condition: Expression


@dataclass(frozen=True, slots=True)
class Parameter(Node):
    """`a: T` of a def."""

    name: Identifier
    type: TypeExpression


@dataclass(frozen=True, slots=True)
class Definition(Node):
    """`def f(a: T) -> T = e`."""

    name: Identifier
    parameters: tuple[Parameter, ...]
    result: TypeExpression
    body: Expression


@dataclass(frozen=True, slots=True)
class DoneWhen(Node):
    """`done when e`."""

    condition: Expression


@dataclass(frozen=True, slots=True)
class Assignment(Node):
    """`f = e` in update, given, result, reference and mistake blocks."""

    name: Identifier
    value: Expression


@dataclass(frozen=True, slots=True)
class Result(Node):
    """`result { name = e }`."""

    assignments: tuple[Assignment, ...]


@dataclass(frozen=True, slots=True)
class Expect(Node):
    """`expect e steps`."""

    count: Expression


@dataclass(frozen=True, slots=True)
class VoteSetting(Node):
    """One setting of a vote block, its value still an expression over inputs.

    kind "ahead_by": `ahead by 3`; "max_samples": `at most 60 samples`; "temperature": `temperature 0.1`, or
    `temperature 0 then 0.1` with `first` set; "on": `on move` (value is an expression over reply fields).
    """

    kind: Literal["ahead_by", "max_samples", "temperature", "on"]
    value: Expression
    first: Expression | None = None


@dataclass(frozen=True, slots=True)
class VoteBlock(Node):
    """`vote { ahead by 3; at most 60 samples; temperature 0 then 0.1; on move }`, of a task or of a step."""

    settings: tuple[VoteSetting, ...]


@dataclass(frozen=True, slots=True)
class Hole(Node):
    """`{name: T}` in a format text."""

    name: Identifier
    type: TypeExpression


@dataclass(frozen=True, slots=True)
class ReplyText(Node):
    """`reply "next = {value: int}"`: literal pieces (with `{{` and `}}` already single) and holes in order."""

    text: Text
    pieces: tuple[str | Hole, ...]


@dataclass(frozen=True, slots=True)
class ReplyJson(Node):
    """`reply json { move: Move }`."""

    members: tuple[TypeMember, ...]


@dataclass(frozen=True, slots=True)
class ReplyGrammar(Node):
    """`reply grammar \"\"\"…\"\"\" { … }`, or `reply grammar from "file.lark" { … }` (then `path` is set)."""

    grammar: Text | None
    path: Text | None
    members: tuple[TypeMember, ...]


@dataclass(frozen=True, slots=True)
class Placement(Node):
    """Where the reply stands; `tag` only with kind "tag"."""

    kind: Literal["end", "whole", "fenced", "tag"]
    tag: Text | None = None


@dataclass(frozen=True, slots=True)
class Reply(Node):
    """`reply …`, with its placement (None: at end)."""

    notation: ReplyText | ReplyJson | ReplyGrammar
    placement: Placement | None


@dataclass(frozen=True, slots=True)
class Let(Node):
    """`let x = e`, a local of the step; it may look at the reply, then prompts can't use it."""

    name: Identifier
    value: Expression


@dataclass(frozen=True, slots=True)
class Check(Node):
    """`rule "why": e` (must hold) or `flag "why": e` (must not hold)."""

    kind: Literal["rule", "flag"]
    why: Text
    condition: Expression


@dataclass(frozen=True, slots=True)
class Update(Node):
    """`update { f = e }`."""

    assignments: tuple[Assignment, ...]


@dataclass(frozen=True, slots=True)
class Prompt(Node):
    """`system "…"` or `prompt "…"`: a Jinja template."""

    kind: Literal["system", "prompt"]
    template: Text


StepPart = Prompt | Let | Reply | Check | Update | VoteBlock


@dataclass(frozen=True, slots=True)
class Step(Node):
    """`step name when e { … }`; a step without a name is called `step`."""

    name: Identifier | None
    when: Expression | None
    parts: tuple[StepPart, ...]


@dataclass(frozen=True, slots=True)
class Mistake(Node):
    """`mistake { … }` in a reference: a plausible wrong reply for the simulated model; unset fields are right."""

    assignments: tuple[Assignment, ...]


@dataclass(frozen=True, slots=True)
class Reference(Node):
    """`reference step { let x = e; field = e; mistake { … } }`: the correct reply; step None: the only step."""

    step: Identifier | None
    lets: tuple[Let, ...]
    assignments: tuple[Assignment, ...]
    mistakes: tuple[Mistake, ...]


@dataclass(frozen=True, slots=True)
class Test(Node):
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
)


@dataclass(frozen=True, slots=True)
class TaskDeclaration(Node):
    """`task name { … }`, its parts in the order of the file."""

    name: Identifier
    parts: tuple[TaskPart, ...]


@dataclass(frozen=True, slots=True)
class TaskFile(Node):
    """A whole file: the version on its first line, if any, and its tasks."""

    version: IntLiteral | None
    tasks: tuple[TaskDeclaration, ...]
