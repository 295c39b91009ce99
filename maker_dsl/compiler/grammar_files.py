"""A grammar file on its own, without a task: its declared fields and its rules, as a reply format."""

from __future__ import annotations

from maker_dsl.checker.grammar_fields import grammar_fields
from maker_dsl.checker.replies import check_fields, line_span
from maker_dsl.checker.scope import Scope
from maker_dsl.checker.static import Typing
from maker_dsl.checker.types import TypeResolver
from maker_dsl.compiler.module import Module
from maker_dsl.compiler.types import Bounds, ConcreteTypes
from maker_dsl.diagnostics import Problems, Source, Span
from maker_dsl.replies.checks import check_notation
from maker_dsl.replies.format import reply_format
from maker_dsl.replies.notation import LarkGrammar, Place
from maker_dsl.task import ReplyFormat
from maker_dsl.types.type import Member, RecordType

WHOLE = Place("whole")


def grammar_file_format(file: Source, problems: Problems) -> ReplyFormat | None:
    """The format of a reply that is a text of the grammar and nothing else; None where something is wrong with it.

    A grammar that declares no fields gives no values.
    """
    members = grammar_fields(file, problems) or ()
    declared = tuple((member.name, member.type) for member in members)
    typing = Typing()
    check_fields(declared, TypeResolver({}, problems), Scope(), problems, typing)
    types = ConcreteTypes({}, Bounds(Module(typing, file)), {}, problems)
    fields = () if problems.has_errors else tuple(Member(name.name, types.resolve(type)) for name, type in declared)
    notation = LarkGrammar(file.text, RecordType(fields))
    for problem in check_notation(notation, WHOLE):
        place = Span(file, 0, len(file.text)) if problem.line is None else line_span(file, problem.line)
        problems.add(problem.code, problem.title, place, problem.label, help=problem.help)
    return None if problems.has_errors else reply_format(notation, WHOLE)
