"""Compiles checked prompts with Jinja, once per task file, and renders them within limits.

A rendering sees the inputs, the state, the step's `let`s and `reply.format` / `reply.example`, nothing else. What goes
wrong while rendering is a finding about the prompt, with its place: never a half-rendered prompt.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jinja2

from maker_dsl.checker.templates import CheckedTemplate
from maker_dsl.diagnostics import Diagnostic, Label, Span
from maker_dsl.syntax import tree
from maker_dsl.task import Locals, State, TaskError
from maker_dsl.templates.environment import (
    FUEL_NAME,
    MAX_RENDERED_CHARACTERS,
    MAX_WORK,
    PROMPTS,
    TemplateLimit,
)

_FILE_NAME = "<prompt>"

Renderer = Callable[[State, Locals], str]
"""Renders a prompt from the state and the step's `let`s; raises TaskError."""


@dataclass(frozen=True, slots=True)
class CompiledTemplate:
    """A prompt's template, compiled; `bind` gives it the inputs and the forms of the reply."""

    text: tree.Text
    names: frozenset[str]
    uses_reply_forms: bool
    _template: jinja2.Template

    def bind(self, base: Mapping[str, Any], changing: frozenset[str]) -> Renderer:
        """A renderer whose context starts with `base`; where no `changing` name is used, it renders once, at once."""
        if not self.names & changing:
            fixed = self._render(dict(base))
            return lambda state, locals_: fixed
        return lambda state, locals_: self._render({**base, **state, **locals_})

    def _render(self, context: dict[str, Any]) -> str:
        context[FUEL_NAME] = [MAX_WORK]
        try:
            return self._joined(context)
        except TemplateLimit as error:
            raise TaskError(self._finding(str(error), error)) from error
        except jinja2.UndefinedError as error:
            raise TaskError(self._finding("there is nothing under this index or key", error)) from error
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            raise TaskError(self._finding("this has no value here", error)) from error

    def _joined(self, context: dict[str, Any]) -> str:
        template = self._template
        pieces: list[str] = []
        length = 0
        for piece in template.root_render_func(template.new_context(context, shared=True)):
            length += len(piece)
            if length > MAX_RENDERED_CHARACTERS:
                raise TemplateLimit(f"the prompt is longer than {MAX_RENDERED_CHARACTERS:,} characters")
            pieces.append(piece)
        return "".join(pieces)

    def _finding(self, label: str, error: Exception) -> Diagnostic:
        return Diagnostic(
            "MK391",
            "this prompt can't be written in this state",
            Label(self._place(error), label),
            help="guard it with `{% if … %}`, or compute the value in a `let`",
        )

    def _place(self, error: Exception) -> Span:
        """The place of what was being written when it failed, from the lines of Jinja's generated code."""
        place = self.text.span
        step = error.__traceback__
        while step is not None:
            if step.tb_frame.f_code.co_filename == _FILE_NAME:
                offset = self._template.get_corresponding_lineno(step.tb_lineno)
                value = self.text.value
                end = offset
                while end < len(value) and (value[end].isalnum() or value[end] in "_.[]"):
                    end += 1
                place = self.text.part(offset, max(end, offset + 1))
            step = step.tb_next
        return place


def compile_template(checked: CheckedTemplate) -> CompiledTemplate:
    """Compile a checked template; its tree is used up."""
    code = PROMPTS.compile(checked.tree, filename=_FILE_NAME)
    template = jinja2.Template.from_code(PROMPTS, code, {}, None)
    return CompiledTemplate(checked.text, checked.names, checked.uses_reply_forms, template)
