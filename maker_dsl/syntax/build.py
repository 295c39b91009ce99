"""Makes the nodes of `tree` from what the automaton has read; one method for each construct of the grammar."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from maker_dsl.diagnostics import Span
from maker_dsl.syntax import tree
from maker_dsl.syntax.broken import Broken
from maker_dsl.syntax.foreign import of_word
from maker_dsl.syntax.lexer import Token
from maker_dsl.syntax.texts import Written, read_block, read_string

Children = list[Any]
SpanOf = Callable[[int, int], Span]

VERSION = 1
"""The version of the language that this package reads."""

MAX_DIGITS = 4000
"""How long a number may be; Python refuses to read longer ones."""


class Builder:
    """Builds nodes over `text`; `span_of` makes a span of the file from offsets in `text`.

    `read_format` splits the format text of a reply, which has a grammar of its own.
    """

    def __init__(
        self, text: str, span_of: SpanOf, read_format: Callable[[tree.Text], tuple[str | tree.Hole, ...]]
    ) -> None:
        self._source_text = text
        self._span_of = span_of
        self._read_format = read_format

    def __call__(self, construct: str, children: Children, start: int, end: int) -> Any:
        return getattr(self, f"_{construct}")(children, self._span_of(start, end))

    def _written(self, token: Token) -> Written:
        read = read_block if token.type == "TEXT_BLOCK" else read_string
        return read(self._source_text, token.start, token.end)

    def _name_of(self, token: Token) -> tree.Identifier:
        return tree.Identifier(self._span_of(token.start, token.end), token.text)

    def _name_or_none(self, token: Token | None) -> tree.Identifier | None:
        return None if token is None else self._name_of(token)

    # The file and its tasks

    def _task_file(self, children: Children, span: Span) -> tree.TaskFile:
        return tree.TaskFile(span, children[0], tuple(children[1:]))

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
        return tree.StateBlock(span, _present(children))

    def _state_field(self, children: Children, span: Span) -> tree.StateField:
        return tree.StateField(span, self._name_of(children[0]), children[1], children[2])

    def _invariant(self, children: Children, span: Span) -> tree.Invariant:
        return tree.Invariant(span, children[0], children[1])

    def _definition(self, children: Children, span: Span) -> tree.Definition:
        name, *parameters, result, body = children
        return tree.Definition(span, self._name_of(name), _present(parameters), result, body)

    def _parameter(self, children: Children, span: Span) -> tree.Parameter:
        return tree.Parameter(span, self._name_of(children[0]), children[1])

    def _done(self, children: Children, span: Span) -> tree.DoneWhen:
        return tree.DoneWhen(span, children[0])

    def _result(self, children: Children, span: Span) -> tree.Result:
        return tree.Result(span, _present(children))

    def _expect(self, children: Children, span: Span) -> tree.Expect:
        return tree.Expect(span, children[0])

    def _assignment(self, children: Children, span: Span) -> tree.Assignment:
        return tree.Assignment(span, self._name_of(children[0]), children[1])

    def _vote(self, children: Children, span: Span) -> tree.VoteBlock:
        return tree.VoteBlock(span, _present(children))

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

    # A step

    def _step(self, children: Children, span: Span) -> tree.Step:
        name, when, *parts = children
        return tree.Step(span, self._name_or_none(name), when, tuple(parts))

    def _prompt(self, children: Children, span: Span) -> tree.Prompt:
        return tree.Prompt(span, children[0].text, children[1])

    def _let(self, children: Children, span: Span) -> tree.Let:
        return tree.Let(span, self._name_of(children[0]), children[1])

    def _check(self, children: Children, span: Span) -> tree.Check:
        keyword, why, _colon, condition = children
        return tree.Check(span, keyword.text, why, condition)

    def _update(self, children: Children, span: Span) -> tree.Update:
        return tree.Update(span, _present(children))

    def _reply(self, children: Children, span: Span) -> tree.Reply:
        return tree.Reply(span, children[0], children[1])

    def _reply_text(self, children: Children, span: Span) -> tree.ReplyText:
        return tree.ReplyText(span, children[0], self._read_format(children[0]))

    def _reply_json(self, children: Children, span: Span) -> tree.ReplyJson:
        return tree.ReplyJson(span, _present(children))

    def _reply_grammar(self, children: Children, span: Span) -> tree.ReplyGrammar:
        return tree.ReplyGrammar(span, children[0], None, _present(children[1:]))

    def _reply_grammar_from(self, children: Children, span: Span) -> tree.ReplyGrammar:
        return tree.ReplyGrammar(span, None, children[0], _present(children[1:]))

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
        return tree.Mistake(span, _present(children))

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
        return "with", _present(children), span

    def _test_given(self, children: Children, span: Span) -> tuple[str, Any, Span]:
        return "given", _present(children), span

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

    # Types

    def _type_optional(self, children: Children, span: Span) -> tree.TypeOptional:
        return tree.TypeOptional(span, children[0])

    def _type_name(self, children: Children, span: Span) -> tree.TypeName:
        return tree.TypeName(span, children[0].text)

    def _type_range(self, children: Children, span: Span) -> tree.TypeRange:
        name, (low, high) = children
        return tree.TypeRange(span, self._type_name([name], self._span_of(name.start, name.end)), low, high)

    def _type_matching(self, children: Children, span: Span) -> tree.TypeString:
        name, pattern, max_length = children
        _string_only(name, "matching")
        begin, stop = pattern.start + 1, pattern.end - 1
        written = _unescape_slashes(self._source_text, begin, stop)
        pieces = tuple((index, self._span_of(offset, offset).start) for index, offset in written.pieces)
        return tree.TypeString(
            span, tree.Text(self._span_of(pattern.start, pattern.end), written.value, pieces), max_length
        )

    def _type_up_to(self, children: Children, span: Span) -> tree.TypeString:
        _string_only(children[0], "up to")
        return tree.TypeString(span, None, children[1])

    def _type_enum(self, children: Children, span: Span) -> tree.TypeEnum:
        return tree.TypeEnum(span, tuple(children))

    def _type_list(self, children: Children, span: Span) -> tree.TypeList:
        item, bounds = children
        low, high = bounds if bounds is not None else (None, None)
        return tree.TypeList(span, item, low, high)

    def _type_map(self, children: Children, span: Span) -> tree.TypeMap:
        return tree.TypeMap(span, children[0], children[1])

    def _type_record(self, children: Children, span: Span) -> tree.TypeRecord:
        return tree.TypeRecord(span, _present(children))

    def _type_tuple(self, children: Children, span: Span) -> tree.TypeTuple:
        return tree.TypeTuple(span, _present(children))

    def _type_group(self, children: Children, span: Span) -> Any:
        return children[0]

    def _bounds(self, children: Children, span: Span) -> tuple[Any, Any]:
        return children[0], children[1]

    def _bounds_to(self, children: Children, span: Span) -> tuple[Any, Any]:
        return None, children[0]

    def _size(self, children: Children, span: Span) -> tuple[Any, Any]:
        return children[0], children[0]

    def _member(self, children: Children, span: Span) -> tree.TypeMember:
        return tree.TypeMember(span, self._name_of(children[0]), children[1])

    # Expressions

    def _expression(self, children: Children, span: Span) -> Any:
        return children[0]

    def _conditional(self, children: Children, span: Span) -> tree.Conditional:
        return tree.Conditional(span, children[0], children[1], children[2])

    def _op_or(self, children: Children, span: Span) -> tree.Binary:
        return tree.Binary(span, "or", children[0], children[1])

    def _op_and(self, children: Children, span: Span) -> tree.Binary:
        return tree.Binary(span, "and", children[0], children[1])

    def _op_not(self, children: Children, span: Span) -> tree.Unary:
        return tree.Unary(span, "not", children[0])

    def _compare(self, children: Children, span: Span) -> tree.Compare:
        return tree.Compare(span, children[0], tuple(zip(children[1::2], children[2::2], strict=True)))

    def _operator(self, children: Children, span: Span) -> tree.CompareOperator:
        return cast(tree.CompareOperator, " ".join(token.text for token in children))

    def _op_coalesce(self, children: Children, span: Span) -> tree.Binary:
        return tree.Binary(span, "??", children[0], children[1])

    def _op_power(self, children: Children, span: Span) -> tree.Binary:
        return tree.Binary(span, "**", children[0], children[1])

    def _binary(self, children: Children, span: Span) -> tree.Binary:
        return tree.Binary(span, children[1].text, children[0], children[2])

    def _unary(self, children: Children, span: Span) -> tree.Unary:
        return tree.Unary(span, children[0].text, children[1])

    def _field_access(self, children: Children, span: Span) -> tree.FieldAccess:
        return tree.FieldAccess(span, children[0], self._name_of(children[1]))

    def _index(self, children: Children, span: Span) -> tree.Index:
        return tree.Index(span, children[0], children[1])

    def _slice(self, children: Children, span: Span) -> tree.Slice:
        return tree.Slice(span, children[0], children[1], children[2], children[3])

    def _int_literal(self, children: Children, span: Span) -> tree.IntLiteral:
        digits = children[0].text.replace("_", "")
        if len(digits) > MAX_DIGITS:
            raise Broken("MK106", "this number is too long", span.start, span.end, f"more than {MAX_DIGITS} digits")
        return tree.IntLiteral(span, int(digits))

    def _fraction_literal(self, children: Children, span: Span) -> tree.FractionLiteral:
        text = children[0].text.replace("_", "")
        exponent = text.lower().partition("e")[2]
        if len(text) > MAX_DIGITS or len(exponent.lstrip("+-0")) > 3:
            raise Broken("MK106", "this number is too large or too long", span.start, span.end)
        return tree.FractionLiteral(span, text)

    def _string_literal(self, children: Children, span: Span) -> tree.StringLiteral:
        return tree.StringLiteral(span, self._written(children[0]).value)

    def _true_literal(self, children: Children, span: Span) -> tree.BoolLiteral:
        return tree.BoolLiteral(span, True)

    def _false_literal(self, children: Children, span: Span) -> tree.BoolLiteral:
        return tree.BoolLiteral(span, False)

    def _null_literal(self, children: Children, span: Span) -> tree.NullLiteral:
        return tree.NullLiteral(span)

    def _name(self, children: Children, span: Span) -> tree.Name:
        if children[0].text in ("True", "False", "None"):
            raise of_word(children[0].text, children[0].start)
        return tree.Name(span, children[0].text)

    def _call(self, children: Children, span: Span) -> tree.Call:
        arguments: list[tree.Expression | tree.Generator] = []
        keywords: list[tree.KeywordArgument] = []
        for argument in _present(children[1:]):
            if isinstance(argument, tree.KeywordArgument):
                keywords.append(argument)
            elif keywords:
                raise Broken(
                    "MK114",
                    f"this argument stands after `{keywords[-1].name.name}=`",
                    argument.span.start,
                    argument.span.end,
                    help="arguments without a name come first",
                )
            else:
                arguments.append(argument)
        return tree.Call(span, self._name_of(children[0]), tuple(arguments), tuple(keywords))

    def _keyword_argument(self, children: Children, span: Span) -> tree.KeywordArgument:
        return tree.KeywordArgument(span, self._name_of(children[0]), children[1])

    def _generator(self, children: Children, span: Span) -> tree.Generator:
        return tree.Generator(span, children[0], tuple(children[1:]))

    def _clause(self, children: Children, span: Span) -> tree.ForClause:
        names = [child for child in children if isinstance(child, Token)]
        iterable, *conditions = children[len(names) :]
        return tree.ForClause(span, tuple(self._name_of(name) for name in names), iterable, tuple(conditions))

    def _group(self, children: Children, span: Span) -> Any:
        return children[0]

    def _list_literal(self, children: Children, span: Span) -> tree.ListLiteral:
        return tree.ListLiteral(span, _present(children))

    def _list_comprehension(self, children: Children, span: Span) -> tree.ListComprehension:
        return tree.ListComprehension(span, children[0], tuple(children[1:]))

    def _pair(self, children: Children, span: Span) -> tuple[Any, Any, Span]:
        return children[0], children[1], span

    def _spread(self, children: Children, span: Span) -> tree.Spread:
        return tree.Spread(span, children[0])

    def _map_comprehension(self, children: Children, span: Span) -> tree.MapComprehension:
        key, value, _ = children[0]
        return tree.MapComprehension(span, key, value, tuple(children[1:]))

    def _braces(self, children: Children, span: Span) -> tree.RecordLiteral | tree.MapLiteral:
        """A record literal where the keys are bare names; a map literal where they are any other expressions."""
        members: list[tree.RecordMember | tree.Spread] = []
        pairs: list[tuple[Any, Any]] = []
        for entry in _present(children):
            if isinstance(entry, tree.Spread):
                members.append(entry)
                continue
            key, value, pair_span = entry
            if isinstance(key, tree.Name) and key.span.start == pair_span.start:
                members.append(tree.RecordMember(pair_span, tree.Identifier(key.span, key.name), value))
            else:
                pairs.append((key, value))
        if not pairs:
            return tree.RecordLiteral(span, tuple(members))
        if members:
            odd = members[0].span
            raise Broken(
                "MK122",
                "a record and a map are mixed here",
                odd.start,
                odd.end,
                "this belongs to a record",
                also=((pairs[0][0].span.start, pairs[0][0].span.end, "this is a key of a map"),),
                help='a record is `{ name: value }`, a map is `{ "key": value }`; a name as the key of a map stands '
                "in parentheses: `{ (name): value }`",
            )
        return tree.MapLiteral(span, tuple(pairs))

    def _text(self, children: Children, span: Span) -> tree.Text:
        written = self._written(children[0])
        pieces = tuple((index, self._span_of(offset, offset).start) for index, offset in written.pieces)
        return tree.Text(span, written.value, pieces)


_TEST_FORM = 'a test is `test "…" { given { … } reply "…" accept }`'


def _present(children: Children) -> tuple[Any, ...]:
    return tuple(child for child in children if child is not None)


def _string_only(name: Token, what: str) -> None:
    if name.text != "string":
        raise Broken(
            "MK115",
            f"`{what}` belongs to `string`, not to `{name.text}`",
            name.start,
            name.end,
            help="bounds of numbers are written `in 0..9`",
        )


def _unescape_slashes(text: str, begin: int, stop: int) -> Written:
    """The pattern between the slashes: `\\/` is a slash, everything else stays as it is."""
    parts: list[str] = []
    pieces: list[tuple[int, int]] = []
    length = 0
    at = begin
    while at < stop:
        found = text.find("\\", at, stop - 1)
        while found >= 0 and text[found + 1] != "/":
            found = text.find("\\", found + 2, stop - 1)
        cut = stop if found < 0 else found
        if cut > at:
            pieces.append((length, at))
            parts.append(text[at:cut])
            length += cut - at
        if found >= 0:
            pieces.append((length, found))
            parts.append("/")
            length += 1
            cut += 2
        at = cut
    pieces.append((length, stop))
    return Written("".join(parts), tuple(pieces))
