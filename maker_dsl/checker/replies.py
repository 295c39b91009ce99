"""Checks a step's reply: its fields, their types, and that its notation can be read without doubt."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec

from maker_dsl.checker.grammar_fields import grammar_fields
from maker_dsl.checker.names import refuse_doubled
from maker_dsl.checker.scope import Scope
from maker_dsl.checker.static import Typing
from maker_dsl.checker.task_context import TaskContext
from maker_dsl.checker.types import TypeResolver, check_bounds, contains_never
from maker_dsl.diagnostics import Label, Problems, Source, Span, did_you_mean
from maker_dsl.replies.checks import check_notation
from maker_dsl.replies.grammar_header import nearly_fields
from maker_dsl.replies.notation import AT_END, FormatText, HoleSpec, JsonObject, LarkGrammar, Notation, Place
from maker_dsl.syntax import tree
from maker_dsl.types.type import Member, RecordType, Type

RESERVED_FIELDS = {
    "text": "the whole text of the raw reply",
    "tokens": "its length in tokens",
    "finish": "why the model stopped",
    "format": "the instructions for the prompt",
    "example": "an example for the prompt",
}


class GrammarReader(Protocol):
    """Gives a grammar file by its name with suffix; None where there is none."""

    @property
    def names(self) -> Sequence[str]:
        """The names, without suffix, of the grammars that it could give."""

    def __call__(self, name: str, /) -> Source | None: ...


@dataclass(frozen=True, slots=True)
class CheckedReply:
    """A reply with all its fields, the erased type of its value, and the text of its grammar if it has one."""

    declaration: tree.Reply
    type: RecordType
    grammar: str | None


def check_reply(reply: tree.Reply, context: TaskContext, read_grammar: GrammarReader) -> CheckedReply | None:
    """Check one reply; None where nothing of it can be used."""
    before = len(context.problems)
    file: Source | None = None
    if isinstance(reply.notation, tree.ReplyGrammar) and reply.notation.path is not None:
        file = _grammar_file(reply.notation.path, context.problems, read_grammar)
        completed = None if file is None else _with_fields(reply, reply.notation, file, context.problems)
        if completed is None:
            return None
        reply = completed
    fields = _fields(reply.notation, context)
    if fields is None:
        return None
    grammar: str | None = None
    if isinstance(reply.notation, tree.ReplyGrammar):
        written = reply.notation.grammar
        grammar = file.text if file is not None else "" if written is None else written.value
    record = RecordType(fields)
    if len(context.problems) == before:
        notation = make_notation(reply.notation, record, grammar)
        for problem in check_notation(notation, make_place(reply.placement)):
            place = _place(reply, problem.piece, problem.line)
            also: list[Label] = []
            if file is not None and problem.line is not None:
                also = [Label(place, "taken from there")]
                place = line_span(file, problem.line)
            context.problems.add(problem.code, problem.title, place, problem.label, also=also, help=problem.help)
    return CheckedReply(reply, record, grammar)


def _fields(
    notation: tree.ReplyText | tree.ReplyJson | tree.ReplyGrammar, context: TaskContext
) -> tuple[Member, ...] | None:
    in_text = isinstance(notation, tree.ReplyText)
    declared = reply_fields(notation)
    if not declared:
        what = "a hole such as `{value: int}`" if in_text else "a field such as `value: int`"
        title = "this reply has no fields"
        context.problems.add("MK452", title, notation.span, "nothing could be read from it", help=f"add {what}")
        return None
    return check_fields(
        declared, context.types, context.inputs, context.problems, context.typing, in_format_text=in_text
    )


def check_fields(
    declared: Sequence[tuple[tree.Identifier, tree.TypeExpression]],
    types: TypeResolver,
    scope: Scope,
    problems: Problems,
    typing: Typing,
    *,
    in_format_text: bool = False,
) -> tuple[Member, ...] | None:
    """Check the names and types of a reply's fields; None where a type is wrong."""
    refuse_doubled((name for name, _ in declared), "MK451", "the reply's field", problems)
    fields: dict[str, Member] = {}
    for name, type_expression in declared:
        if name.name in RESERVED_FIELDS:
            title = f"a reply's field can't be called `{name.name}`"
            label = f"`reply.{name.name}` is {RESERVED_FIELDS[name.name]}"
            problems.add("MK450", title, name.span, label, help="choose another name")
        type_: Type = types.erase(type_expression, in_format_text=in_format_text)
        check_bounds(type_expression, scope, problems, typing)
        fields.setdefault(name.name, Member(name.name, type_))
    if any(contains_never(member.type) for member in fields.values()):
        return None
    return tuple(fields.values())


def reply_fields(
    notation: tree.ReplyText | tree.ReplyJson | tree.ReplyGrammar,
) -> tuple[tuple[tree.Identifier, tree.TypeExpression], ...]:
    """The fields of a reply as the author wrote them, in order."""
    if isinstance(notation, tree.ReplyText):
        return tuple((piece.name, piece.type) for piece in notation.pieces if isinstance(piece, tree.Hole))
    return tuple((member.name, member.type) for member in notation.members or ())


def speaks_of_form(fixed_text: str, notation: tree.ReplyText | tree.ReplyJson | tree.ReplyGrammar) -> bool:
    """Whether a prompt's own words could describe the reply: they name a literal of its text, or one of its fields.

    A format text without words of its own can be described in any words.
    """
    if isinstance(notation, tree.ReplyText):
        lines = [line for piece in notation.pieces if isinstance(piece, str) for line in piece.split("\n")]
        literals = [" ".join(line.split()) for line in lines if re.search(r"[^\W\d_]", line)]
        text = " ".join(fixed_text.split())
        return not literals or any(literal in text for literal in literals)
    words = set(re.findall(r"\w+", fixed_text))
    return any(name.name in words for name, _ in reply_fields(notation))


def make_notation(
    notation: tree.ReplyText | tree.ReplyJson | tree.ReplyGrammar, type_: RecordType, grammar: str | None
) -> Notation:
    """The notation as data, with the types given (erased or concrete)."""
    match notation:
        case tree.ReplyText(pieces=pieces):
            types = {member.name: member.type for member in type_.members}
            return FormatText(
                tuple(p if isinstance(p, str) else HoleSpec(p.name.name, types[p.name.name]) for p in pieces)
            )
        case tree.ReplyJson():
            return JsonObject(type_)
        case tree.ReplyGrammar():
            return LarkGrammar(grammar or "", type_)


def make_place(placement: tree.Placement | None) -> Place:
    """The place as data."""
    if placement is None:
        return AT_END
    return Place(placement.kind, None if placement.tag is None else placement.tag.value)


def _place(reply: tree.Reply, piece: int | None, line: int | None) -> Span:
    notation = reply.notation
    if isinstance(notation, tree.ReplyText) and piece is not None:
        part = notation.pieces[piece]
        return part.span if isinstance(part, tree.Hole) else notation.text.span
    if isinstance(notation, tree.ReplyGrammar) and line is not None and notation.grammar is not None:
        lines = notation.grammar.value.split("\n")
        start = sum(len(one) + 1 for one in lines[: line - 1])
        return notation.grammar.part(start, start + max(len(lines[line - 1]), 1) if line <= len(lines) else start)
    if isinstance(notation, tree.ReplyGrammar):
        return (notation.path or notation.grammar or notation).span
    if isinstance(notation, tree.ReplyText):
        return notation.text.span
    return notation.span


def line_span(file: Source, line: int) -> Span:
    """The line of a grammar file that a finding is about."""
    start = file.offset(line, 1)
    return Span(file, start, start + max(len(file.line(line)), 1))


def _with_fields(reply: tree.Reply, notation: tree.ReplyGrammar, file: Source, problems: Problems) -> tree.Reply | None:
    """The reply with the fields that the grammar file declares, if the task has none of its own."""
    if notation.members is not None:
        return reply
    before = len(problems)
    members = grammar_fields(file, problems)
    if members:
        return msgspec.structs.replace(reply, notation=msgspec.structs.replace(notation, members=members))
    if len(problems) == before:
        place = notation.span if notation.path is None else notation.path.span
        label = "the grammar does not declare any"
        help = f"write them after it: `{place.text} {{ name: type }}`, each named like a rule of the grammar"
        nearly = nearly_fields(file.text)
        also = []
        if nearly is not None:
            also = [Label(Span(file, *nearly), "this declares nothing")]
            help = "declare them in the comment lines that the grammar begins with: `// fields { name: type }`"
        problems.add("MK452", "this reply has no fields", place, label, also=also, help=help)
    return None


def _grammar_file(path: tree.Text, problems: Problems, read_grammar: GrammarReader) -> Source | None:
    name = path.value
    parts = name.replace("\\", "/").split("/")
    is_lark = name.endswith(".lark") or "." not in parts[-1]
    if not is_lark or ".." in parts or "" in parts or ":" in name or "\0" in name:
        title = "a grammar is a `.lark` file beside the task"
        help = 'write the name of a bundled one, such as `"iso_date"`, or a relative path without `..`'
        problems.add("MK455", title, path.span, help=help)
        return None
    file = read_grammar(name if name.endswith(".lark") else f"{name}.lark")
    if file is None:
        title = f"there is no grammar `{name}`"
        known = read_grammar.names
        listed = "it is looked for beside the task file and among the bundled grammars: " + ", ".join(known)
        problems.add("MK454", title, path.span, help=did_you_mean(name.removesuffix(".lark"), known, listed))
    return file
