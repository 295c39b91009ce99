"""Makes the nodes of expressions."""

from __future__ import annotations

from typing import Any, cast

from maker_dsl.diagnostics import Span
from maker_dsl.syntax import tree
from maker_dsl.syntax.broken import Broken
from maker_dsl.syntax.build_base import BuilderBase, Children, present
from maker_dsl.syntax.foreign import of_word
from maker_dsl.syntax.lexer import Token

MAX_DIGITS = 4000
"""How long a number may be; Python refuses to read longer ones."""


class ExpressionBuilder(BuilderBase):
    """One method for each construct of an expression."""

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
        for argument in present(children[1:]):
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
        return tree.ListLiteral(span, present(children))

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
        for entry in present(children):
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
