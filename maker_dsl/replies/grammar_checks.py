"""What is wrong with a grammar that an author wrote."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lark import Lark
from lark.exceptions import LarkError, UnexpectedInput

from maker_dsl.diagnostics import did_you_mean
from maker_dsl.replies.author_grammar import (
    Unavailable,
    author_parser,
    field_symbols,
    first_texts,
    regex_problem,
    terminals,
)
from maker_dsl.replies.bounded_lalr import TooManyStates
from maker_dsl.replies.grammar_header import read_header
from maker_dsl.replies.grammar_text import MAX_GRAMMAR, MAX_TERMINAL, MAX_VARIANTS, GrammarOutline
from maker_dsl.replies.notation import LarkGrammar, Place
from maker_dsl.replies.problem import NotationProblem

_LINE = re.compile(r"line (\d+)")
_NAMED = re.compile(r"'(\w+)'")
_CONFLICT_RULE = re.compile(r"<(\w+) : ")
_TERMINAL = re.compile(r"(?:Terminal\('|terminal )([$\w]+)")
_HELP = 'a rule is written `name: parts`, a terminal `NAME: /regex/` or `NAME: "text"`'


def check_grammar(notation: LarkGrammar, place: Place) -> Iterator[NotationProblem]:
    """All that keeps a grammar from being used."""
    if len(notation.text) > MAX_GRAMMAR:
        yield _unavailable(f"a grammar has at most {MAX_GRAMMAR:,} characters", "this one is longer", None)
        return
    outline = GrammarOutline(notation.text)
    early = [*_check_outline(outline)]
    yield from early
    if early:
        return
    try:
        parser = author_parser(notation.text)
    except Unavailable as error:
        yield _unavailable("a grammar reads no other files", str(error), None)
        return
    except TooManyStates as error:
        help = "give parts that begin alike one rule, or check what they say with a `rule`"
        yield _unavailable("the grammar is too large", str(error), None, help)
        return
    except LarkError as error:
        yield _refused(str(error), outline)
        return
    except Exception:  # on odd grammars Lark stumbles in many ways: TypeError, SyntaxError, AssertionError, …
        yield NotationProblem("MK411", "this is not a Lark grammar", "Lark can make nothing of it", _HELP)
        return
    unusable = [*_check_terminals(notation, parser, outline)]
    yield from unusable
    if unusable:
        return
    yield from _check_fields(notation, parser, outline)
    yield from _check_example(notation, parser)
    if place.kind == "end" and first_texts(parser) is None:
        yield NotationProblem(
            "MK407",
            "nothing shows where the reply starts",
            "the grammar does not begin with a fixed word",
            help='begin `start` with a word in quotes, or write `whole`, `fenced` or `in tag "answer"` after it',
            line=outline.line_of("start"),
        )


def _check_outline(outline: GrammarOutline) -> Iterator[NotationProblem]:
    for definition in outline.definitions:
        texts = [lexeme.text for lexeme in definition.body]
        if definition.name == "%import" and texts[:1] != ["common"]:
            title = "a grammar can import from `common` alone"
            yield _unavailable(title, f"`{''.join(texts[:3])}` is not there", definition.line)
        elif definition.name in ("%declare", "%extend", "%override"):
            yield _unavailable(f"`{definition.name}` is not available in a grammar", "take this out", definition.line)
        elif texts[:1] == ["{"] and not definition.name.startswith("%"):
            title = "templates are not available in a grammar"
            yield _unavailable(title, f"`{definition.name}` has parameters; write it out", definition.line)
    total = 0
    for definition, count in outline.variants():
        total += count
        if total > MAX_VARIANTS:
            label = f"its optional parts give more than {MAX_VARIANTS} combinations"
            yield _unavailable("the grammar is too large", label, definition.line, "split the rule into smaller ones")
            break
    for definition, size in outline.terminal_sizes():
        if size > MAX_TERMINAL:
            label = f"written out, `{definition.name}` is too long"
            yield _unavailable("the grammar is too large", label, definition.line)
            break


def _refused(said: str, outline: GrammarOutline) -> NotationProblem:
    first = said.strip().split("\n")[0].strip()
    line = _LINE.search(first)
    if "conflict" in first or "collision" in first:
        return _conflict(said, outline)
    if "zero-width" in first:
        return NotationProblem("MK416", "a terminal matches the empty text", first, line=_named_line(first, outline))
    if "NonTerminal('start')" in first and outline.line_of("start") is None:
        return NotationProblem(
            "MK411",
            "the grammar has no rule `start`",
            "parsing begins with the rule `start`",
            help="name the first rule `start`",
        )
    if line is not None:
        return NotationProblem(
            "MK411",
            "this is not a Lark grammar",
            "the text stops making sense here",
            help=_HELP,
            line=int(line[1]),
        )
    return NotationProblem("MK411", "this is not a Lark grammar", first, line=_named_line(first, outline))


def _conflict(said: str, outline: GrammarOutline) -> NotationProblem:
    terminal = _TERMINAL.search(said)
    rules = list(dict.fromkeys(name.lstrip("_") for name in _CONFLICT_RULE.findall(said)))
    written = [name for name in rules if outline.line_of(name) is not None]
    at = "the end of the reply" if terminal is None or terminal[1] == "$END" else f"`{terminal[1]}`"
    among = " and ".join(f"`{name}`" for name in written) or "its rules"
    return NotationProblem(
        "MK412",
        "the grammar can be read in two ways",
        f"at {at} the parser could go on with, or end, {among}",
        help="rewrite the rules so that the next word always tells which one goes on",
        line=outline.line_of(written[0]) if written else None,
    )


def _named_line(said: str, outline: GrammarOutline) -> int | None:
    for name in [*re.findall(r"in rule (\w+)", said), *_NAMED.findall(said), *re.findall(r"\((\w+):", said)]:
        if outline.line_of(name) is not None:
            return outline.line_of(name)
    return None


def _check_terminals(notation: LarkGrammar, parser: Lark, outline: GrammarOutline) -> Iterator[NotationProblem]:
    for terminal in terminals(parser):
        line = outline.line_of(terminal.name)
        why = regex_problem(terminal)
        if why is not None:
            pattern = str(terminal.pattern.value)
            shown = terminal.name if line is not None else pattern
            line = line or _line_with(f"/{pattern}/", notation.text)
            yield _unavailable(f"the regex of `{shown}` is not available", why, line)
        elif terminal.pattern.min_width == 0:
            label = f"`{terminal.name}` can match nothing at all"
            yield NotationProblem("MK416", "a terminal matches the empty text", label, "use `+` for `*`", line=line)


def _line_with(part: str, text: str) -> int | None:
    at = text.find(part)
    return None if at < 0 else text.count("\n", 0, at) + 1


def _check_fields(notation: LarkGrammar, parser: Lark, outline: GrammarOutline) -> Iterator[NotationProblem]:
    symbols = {
        field: name for name, field in field_symbols(notation.text, (m.name for m in notation.type.members)).items()
    }
    used = {str(rule.origin.name) for rule in parser.rules} | {terminal.name for terminal in parser.terminals}
    for member in notation.type.members:
        symbol = symbols.get(member.name)
        if symbol is None:
            rules = sorted(name.lower() for name in outline.names - {"start"})
            otherwise = f"add a rule `{member.name}: …` and use it, or a terminal `{member.name.upper()}`"
            label = f"nothing in the grammar is called `{member.name}`"
            help = did_you_mean(member.name, rules, otherwise)
            yield NotationProblem("MK413", f"the grammar has no rule for `{member.name}`", label, help)
        elif symbol not in used:
            label = "no way leads here from `start`"
            title = f"the rule for `{member.name}` is never used"
            line = outline.line_of(symbol)
            yield NotationProblem("MK414", title, label, f"use `{symbol}` in another rule", line=line)
        elif any(rule.origin.name == member.name and (rule.options.expand1 or rule.alias) for rule in parser.rules):
            line = outline.line_of(member.name)
            label = "a rule with `?` or `->` gives way to what stands in it"
            title = f"the rule for `{member.name}` must stay visible"
            yield NotationProblem("MK417", title, label, "take the `?` or `->` out", line=line)


def _check_example(notation: LarkGrammar, parser: Lark) -> Iterator[NotationProblem]:
    header = read_header(notation.text)
    if header.example_line is None or _takes(parser, header.example) or _takes(parser, header.example + "\n"):
        return
    yield NotationProblem(
        "MK418",
        "the grammar does not take its own example",
        "the example begins here",
        "correct the example, or the rules",
        line=header.example_line,
    )


def _takes(parser: Lark, text: str) -> bool:
    try:
        parser.parse(text)
    except (UnexpectedInput, UnicodeEncodeError):
        return False
    return True


def _unavailable(title: str, label: str, line: int | None, help: str | None = None) -> NotationProblem:
    return NotationProblem("MK415", title, label, help, line=line)
