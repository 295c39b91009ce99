"""Makes the nodes of `tree` from what the automaton has read; one method for each construct of the grammar."""

from __future__ import annotations

from typing import Any

from maker_dsl.diagnostics import Span
from maker_dsl.syntax import tree
from maker_dsl.syntax.broken import Broken
from maker_dsl.syntax.build_base import Children, present
from maker_dsl.syntax.build_expressions import ExpressionBuilder
from maker_dsl.syntax.build_types import TypeBuilder

VERSION = 1
"""The version of the language that this package reads."""


_TEST_FORM = 'a test is `test "…" { given { … } reply "…" accept }`'


class Builder(TypeBuilder, ExpressionBuilder):
    """Builds everything; the parts of a file here, types and expressions in the classes it inherits from."""

    # The file and its tasks

    def _task_file(self, children: Children, span: Span) -> tree.TaskFile:
        version, *parts = children
        tasks = tuple(part for part in parts if isinstance(part, tree.TaskDeclaration))
        return tree.TaskFile(span, version, tasks, tuple(part for part in parts if isinstance(part, tree.Use)))

    def _use(self, children: Children, span: Span) -> tree.Use:
        return tree.Use(span, children[0])

    def _version(self, children: Children, span: Span) -> tree.IntLiteral:
        number = self._int_literal(children, self._span_of(children[0].start, children[0].end))
        if number.value != VERSION:
            raise Broken(
                "MK117",
                f"this file is written for version {number.value} of the language",
                children[0].start,
                children[0].end,
                f"this is version {VERSION}",
                help="upgrade with `pip install --upgrade maker-dsl`" if number.value > VERSION else "write `maker 1`",
                is_fatal=True,
            )
        return number

    def _task(self, children: Children, span: Span) -> tree.TaskDeclaration:
        return tree.TaskDeclaration(span, self._name_of(children[0]), tuple(children[1:]))

    def _about(self, children: Children, span: Span) -> tree.About:
        return tree.About(span, children[0])

    def _input(self, children: Children, span: Span) -> tree.Input:
        return tree.Input(span, self._name_of(children[0]), children[1], children[2])

    def _type_declaration(self, children: Children, span: Span) -> tree.TypeDeclaration:
        return tree.TypeDeclaration(span, self._name_of(children[0]), children[1])

    def _state(self, children: Children, span: Span) -> tree.StateBlock:
        return tree.StateBlock(span, present(children))

    def _state_field(self, children: Children, span: Span) -> tree.StateField:
        return tree.StateField(span, self._name_of(children[0]), children[1], children[2])

    def _invariant(self, children: Children, span: Span) -> tree.Invariant:
        return tree.Invariant(span, children[0], children[1])

    def _definition(self, children: Children, span: Span) -> tree.Definition:
        name, *parameters, result, body = children
        return tree.Definition(span, self._name_of(name), present(parameters), result, body)

    def _parameter(self, children: Children, span: Span) -> tree.Parameter:
        return tree.Parameter(span, self._name_of(children[0]), children[1])

    def _checker(self, children: Children, span: Span) -> tree.Checker:
        name, *parameters, result, plugin = children
        return tree.Checker(span, self._name_of(name), present(parameters), result, plugin)

    def _done(self, children: Children, span: Span) -> tree.DoneWhen:
        return tree.DoneWhen(span, children[0])

    def _result(self, children: Children, span: Span) -> tree.Result:
        return tree.Result(span, present(children))

    def _expect(self, children: Children, span: Span) -> tree.Expect:
        return tree.Expect(span, children[0])

    def _assignment(self, children: Children, span: Span) -> tree.Assignment:
        return tree.Assignment(span, self._name_of(children[0]), children[1])

    def _vote(self, children: Children, span: Span) -> tree.VoteBlock:
        return tree.VoteBlock(span, present(children))

    def _ahead_by(self, children: Children, span: Span) -> tree.VoteSetting:
        return tree.VoteSetting(span, "ahead_by", children[0])

    def _max_samples(self, children: Children, span: Span) -> tree.VoteSetting:
        return tree.VoteSetting(span, "max_samples", children[0])

    def _temperature(self, children: Children, span: Span) -> tree.VoteSetting:
        first, then = children
        if then is None:
            return tree.VoteSetting(span, "temperature", first)
        return tree.VoteSetting(span, "temperature", then, first)

    def _vote_on(self, children: Children, span: Span) -> tree.VoteSetting:
        return tree.VoteSetting(span, "on", children[0])

    def _rung(self, children: Children, span: Span) -> tree.Rung:
        samples, *parts = children
        return tree.Rung(span, samples, present(parts))

    def _with_variant(self, children: Children, span: Span) -> tree.WithVariant:
        return tree.WithVariant(span, children[0])

    # A step

    def _step(self, children: Children, span: Span) -> tree.Step:
        name, when, *parts = children
        return tree.Step(span, self._name_or_none(name), when, tuple(parts))

    def _prompt(self, children: Children, span: Span) -> tree.Prompt:
        return tree.Prompt(span, children[0].text, children[1])

    def _prompt_variant(self, children: Children, span: Span) -> tree.Prompt:
        return tree.Prompt(span, "prompt", children[1], children[0])

    def _with_profile(self, children: Children, span: Span) -> tree.WithProfile:
        return tree.WithProfile(span, children[0])

    def _run(self, children: Children, span: Span) -> tree.Run:
        name, task, *arguments, each = children
        given = present(arguments)
        for argument in given:
            if not isinstance(argument, tree.KeywordArgument):
                raise Broken(
                    "MK125",
                    "the inputs of a task are given by name",
                    argument.span.start,
                    argument.span.end,
                    "this has no name",
                    help=f"write `run {name.text} = {task.text}(input = …)`",
                )
        return tree.Run(span, self._name_of(name), self._name_of(task), given, each)

    def _for_each(self, children: Children, span: Span) -> tree.ForEach:
        *names, iterable = children
        return tree.ForEach(span, tuple(self._name_of(name) for name in names), iterable)

    def _let(self, children: Children, span: Span) -> tree.Let:
        return tree.Let(span, self._name_of(children[0]), children[1])

    def _check(self, children: Children, span: Span) -> tree.Check:
        keyword, why, _colon, condition = children
        return tree.Check(span, keyword.text, why, condition)

    def _update(self, children: Children, span: Span) -> tree.Update:
        return tree.Update(span, present(children))

    def _reply(self, children: Children, span: Span) -> tree.Reply:
        return tree.Reply(span, children[0], children[1], children[2])

    def _format_with(self, children: Children, span: Span) -> tree.FormatWith:
        return tree.FormatWith(span, children[0], children[1])

    def _reply_text(self, children: Children, span: Span) -> tree.ReplyText:
        return tree.ReplyText(span, children[0], self._read_format(children[0]))

    def _reply_json(self, children: Children, span: Span) -> tree.ReplyJson:
        return tree.ReplyJson(span, present(children))

    def _reply_grammar(self, children: Children, span: Span) -> tree.ReplyGrammar:
        return tree.ReplyGrammar(span, children[0], None, present(children[1:]))

    def _reply_grammar_from(self, children: Children, span: Span) -> tree.ReplyGrammar:
        return tree.ReplyGrammar(span, None, children[0], children[1])

    def _fields(self, children: Children, span: Span) -> tuple[tree.TypeMember, ...]:
        return present(children)

    def _placement_end(self, children: Children, span: Span) -> tree.Placement:
        return tree.Placement(span, "end")

    def _placement_whole(self, children: Children, span: Span) -> tree.Placement:
        return tree.Placement(span, "whole")

    def _placement_fenced(self, children: Children, span: Span) -> tree.Placement:
        return tree.Placement(span, "fenced")

    def _placement_tag(self, children: Children, span: Span) -> tree.Placement:
        return tree.Placement(span, "tag", children[0])

    # Reference and tests

    def _reference(self, children: Children, span: Span) -> tree.Reference:
        step, *entries = children
        return tree.Reference(
            span,
            self._name_or_none(step),
            tuple(entry for entry in entries if isinstance(entry, tree.Let)),
            tuple(entry for entry in entries if isinstance(entry, tree.Assignment)),
            tuple(entry for entry in entries if isinstance(entry, tree.Mistake)),
        )

    def _mistake(self, children: Children, span: Span) -> tree.Mistake:
        return tree.Mistake(span, present(children))

    def _test(self, children: Children, span: Span) -> tree.Test:
        name, *parts = children
        found: dict[str, tuple[Any, Span]] = {}
        then: list[tree.Expression] = []
        for kind, value, part_span in parts:
            if kind == "then":
                then.append(value)
                continue
            if kind in found:
                raise Broken(
                    "MK113",
                    "this test has two verdicts" if kind == "verdict" else f"this test has a second `{kind}`",
                    part_span.start,
                    part_span.end,
                    also=((found[kind][1].start, found[kind][1].end, "the first one"),),
                    help="keep one, or write two tests",
                )
            found[kind] = (value, part_span)
        for kind, what in (("reply", '`reply "…"`'), ("verdict", "`accept` or `reject`")):
            if kind not in found:
                raise Broken("MK112", f"this test has no {what}", name.span.start, name.span.end, help=_TEST_FORM)
        verdict, reason = found["verdict"][0]
        if then and verdict == "reject":
            raise Broken(
                "MK113",
                "`then` looks at the new state, and a rejected reply has none",
                then[0].span.start,
                then[0].span.end,
                help="drop the `then`, or write `accept`",
            )
        return tree.Test(
            span,
            name,
            found["with"][0] if "with" in found else (),
            found["given"][0] if "given" in found else (),
            found["step"][0] if "step" in found else None,
            found["reply"][0],
            verdict,
            reason,
            tuple(then),
        )

    def _test_with(self, children: Children, span: Span) -> tuple[str, Any, Span]:
        return "with", present(children), span

    def _test_given(self, children: Children, span: Span) -> tuple[str, Any, Span]:
        return "given", present(children), span

    def _test_step(self, children: Children, span: Span) -> tuple[str, Any, Span]:
        return "step", self._name_of(children[0]), span

    def _test_reply(self, children: Children, span: Span) -> tuple[str, Any, Span]:
        return "reply", children[0], span

    def _test_accept(self, children: Children, span: Span) -> tuple[str, Any, Span]:
        return "verdict", ("accept", None), span

    def _test_reject(self, children: Children, span: Span) -> tuple[str, Any, Span]:
        return "verdict", ("reject", children[0]), span

    def _test_then(self, children: Children, span: Span) -> tuple[str, Any, Span]:
        return "then", children[0], span
