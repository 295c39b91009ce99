"""The typed fields that a grammar file declares in the comment lines that it begins with: `// fields { name: type }`.

They stand for the braces that a task leaves out, and know nothing of the task: no declared types, and only numbers as
bounds.
"""

from __future__ import annotations

from maker_dsl.checker.traversal import descendants
from maker_dsl.checker.types import TypeResolver, literal_number
from maker_dsl.diagnostics import Label, Problems, Source, Span
from maker_dsl.replies.grammar_header import read_header, without_comment_signs
from maker_dsl.syntax import tree
from maker_dsl.syntax.parser import parse_fields


def grammar_fields(source: Source, problems: Problems) -> tuple[tree.TypeMember, ...] | None:
    """The fields that a grammar file declares, none after a mistake in them; None where it declares nothing."""
    declared = read_header(source.text).fields
    if not declared:
        return None
    (start, end), *others = declared
    for again in others:
        also = [Label(Span(source, start, end), "first here")]
        title = "the grammar declares its fields twice"
        problems.add("MK458", title, Span(source, *again), "a second time here", also=also, help="put them together")
    before = len(problems)
    members = parse_fields(source, " " * start + without_comment_signs(source.text, start, end), problems)
    for member in members or ():
        TypeResolver({}, problems).erase(member.type)
        bounds = [node for node in descendants(member.type) if isinstance(node, tree.Expression)]
        for bound in [one for one in bounds if literal_number(one) is None][:1]:
            title = "the bounds of a grammar's fields are numbers"
            problems.add("MK458", title, bound.span, "this must be a number", help="a grammar knows no task")
    return () if members is None or len(problems) > before else members


def written_fields(source: Source) -> str:
    """The declaration `{ … }` as it would stand in a task."""
    declared = read_header(source.text).fields
    return without_comment_signs(source.text, *declared[0]).rstrip() if declared else ""
