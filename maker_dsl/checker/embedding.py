"""A task file's text with the grammar files that it names put into it: all that the task is, in one text.

Runs keep this text, so that they can be resumed and verified whatever became of the files.
"""

from __future__ import annotations

from collections.abc import Iterable

from maker_dsl.checker.checked import CheckedTask
from maker_dsl.diagnostics import Source
from maker_dsl.syntax import tree


def whole_text(source: Source, tasks: Iterable[CheckedTask]) -> str:
    """The text of `source` with each `from "file.lark"` replaced by the grammar itself."""
    text = source.text
    pieces: list[str] = []
    at = 0
    notations = [(step.reply.notation, step.grammar) for task in tasks for step in task.steps]
    places = [
        (notation.path.span, grammar)
        for notation, grammar in notations
        if isinstance(notation, tree.ReplyGrammar) and notation.path is not None and grammar is not None
    ]
    for span, grammar in sorted(places, key=lambda place: place[0].start):
        pieces.append(text[at : text.rindex("from", 0, span.start)])
        pieces.append(_block(grammar))
        at = span.end
    return "".join([*pieces, text[at:]])


def _block(grammar: str) -> str:
    """A text block that reads as the grammar, up to white space at the ends of lines and its indentation."""
    quoted = grammar.replace('"', '\\"')
    return f'"""\n{quoted}\n"""'
