"""Says in the author's words what is wrong with a token that can't stand where it stands."""

from __future__ import annotations

import re
from collections.abc import Iterable

from maker_dsl.diagnostics import did_you_mean
from maker_dsl.syntax import foreign
from maker_dsl.syntax.asking import of_asking
from maker_dsl.syntax.automaton import Unexpected
from maker_dsl.syntax.broken import Broken
from maker_dsl.syntax.composition import of_composition
from maker_dsl.syntax.entry import entry_of
from maker_dsl.syntax.expectations import choice, found, listed
from maker_dsl.syntax.foreign_types import of_type
from maker_dsl.syntax.forms import BLOCK_WORDS, FORMS, home_of
from maker_dsl.syntax.lexer import NEW_LINE, RESERVED, Token
from maker_dsl.syntax.methods import replacement
from maker_dsl.syntax.slips import of_slip
from maker_dsl.syntax.table import END, load_table

_PART_WORDS = frozenset(word for home in ("a task", "a step", "a test") for word in BLOCK_WORDS[home])


def starts_new_entry(unexpected: Unexpected) -> bool:
    """Whether what stands before the token is complete, so that the token is the mistake of its own entry."""
    before = unexpected.before
    return before is None or before.type in (NEW_LINE, "SEMICOLON") or _can_end(unexpected.expected)


def of_unexpected(text: str, unexpected: Unexpected, *, in_hole: bool = False) -> Broken:
    """What to say about the token: the likeliest slip if it is a known one, else what was expected."""
    token, before, expected = unexpected.token, unexpected.before, _spelt(unexpected.expected)
    for explain in (
        _construct,
        _inner_quote,
        _method,
        of_type,
        of_slip,
        _foreign,
        _equals,
        _missing,
        _separator,
        _call,
        _part,
        _glued,
    ):
        broken = explain(text, token, before, expected)
        if broken is not None:
            return broken
    return _expected(text, token, before, expected, in_hole=in_hole)


def _construct(text: str, token: Token, before: Token | None, expected: frozenset[str]) -> Broken | None:
    entry = entry_of(text, token, before, expected)
    return of_composition(entry) or of_asking(entry)


def _spelt(terminals: Iterable[str]) -> frozenset[str]:
    """Terminals as the author writes them; those that are no fixed text keep their names."""
    table = load_table()
    spelling = {terminal: text for text, terminal in (*table.signs.items(), *table.words.items())}
    return frozenset(spelling.get(terminal, terminal) for terminal in terminals)


def _can_end(terminals: frozenset[str]) -> bool:
    return NEW_LINE in terminals or not _spelt(terminals).isdisjoint(_PART_WORDS)


def _foreign(text: str, token: Token, before: Token | None, expected: frozenset[str]) -> Broken | None:
    if token.text in foreign.WORDS:
        return foreign.of_word(token.text, token.start)
    if before is not None and before.text in foreign.WORDS and before.type == "NAME":
        return foreign.of_word(before.text, before.start)
    if token.text == "|" and text.startswith("||", token.start):
        return Broken("MK108", "`||` is not part of the language", token.start, token.start + 2, help="write `or`")
    if token.type in ("STRING", "TEXT_BLOCK") and before is not None and before.end == token.start:
        return Broken(
            "MK108",
            f'`{before.text}"…"` is not part of the language',
            before.start,
            token.start + 1,
            help="texts have no prefix; join them with `+`, and use `{{ … }}` in a prompt",
        )
    if before is not None and before.text in ("+", "-") and text[before.start - 1] == before.text:
        sign = before.text * 2
        return Broken(
            "MK108",
            f"`{sign}` is not part of the language",
            before.start - 1,
            before.end,
            help=f"write `n {before.text} 1`",
        )
    return None


def _equals(text: str, token: Token, before: Token | None, expected: frozenset[str]) -> Broken | None:
    if token.type in ("PLUS_MINUS", "TIMES_OVER") and before is not None and expected == {"="}:
        sign = text[token.start : token.end + 1]
        return Broken(
            "MK108",
            f"`{sign}` is not part of the language",
            token.start,
            token.end + 1,
            help=f"write `{before.text} = {before.text} {token.text} 1`",
        )
    if token.text == "=":
        if before is not None and before.text in ("=", "!=", "==") and before.end == token.start:
            return Broken(
                "MK107",
                f"`{before.text}=` is not part of the language",
                before.start,
                token.end,
                help=f"write `{'!=' if before.text == '!=' else '=='}`",
            )
        if "==" in expected and ":" not in expected:
            return Broken(
                "MK107", "`=` gives a value to a field; it does not compare", token.start, token.end, help="write `==`"
            )
        if ":" in expected and "==" in expected:
            return Broken(
                "MK107", "members of a record are written with `:`", token.start, token.end, help="write `name: value`"
            )
        if expected == {":"} and before is not None and before.type == "NAME":
            return Broken(
                "MK123",
                f"`{before.text}` needs a type",
                token.start,
                token.end,
                help=f"write `{before.text}: type = …`, such as `{before.text}: int = 0`",
            )
    if token.text == "==" and "=" in expected:
        return Broken("MK107", "`==` compares; a value is given with `=`", token.start, token.end, help="write `=`")
    if token.text == ":" and text.startswith("=", token.end) and "=" in expected:
        return Broken("MK107", "`:=` is not part of the language", token.start, token.end + 1, help="write `=`")
    if token.text == ":" and "=" in expected and before is not None and before.type == "NAME":
        return Broken("MK107", "a value is given with `=`", token.start, token.end, help=f"write `{before.text} = …`")
    if token.text in (":", "=") and "->" in expected:
        return Broken(
            "MK123",
            "this `def` does not say what it gives",
            token.start,
            token.end,
            help="write `-> type =` here: `def f(x: int) -> int = x + 1`",
        )
    return None


def _separator(text: str, token: Token, before: Token | None, expected: frozenset[str]) -> Broken | None:
    if token.text == "," and NEW_LINE in expected and "," not in expected:
        return Broken(
            "MK107",
            "entries of a block are not separated by `,`",
            token.start,
            token.end,
            help="start a new line, or write `;`",
        )
    if token.text == ";" and NEW_LINE not in expected:
        if "," in expected:
            return Broken("MK107", "`;` can't stand in brackets", token.start, token.end, help="write `,`")
        return None
    is_later = before is not None and token.text in ("}", "") and "\n" in text[before.end : token.start]
    if token.type == NEW_LINE or (is_later and token.type != END):
        line_end = token.start
        last = before.end if before is not None else line_end
        if "," in expected:
            return Broken(
                "MK123",
                "a `,` is missing at the end of this line",
                max(last - 1, 0),
                last,
                "after this",
                help="inside brackets, what follows is separated by `,`",
            )
        what = choice(expected)
        return Broken("MK123", f"{what} is missing at the end of this line", max(last - 1, 0), last, "after this")
    return None


def _missing(text: str, token: Token, before: Token | None, expected: frozenset[str]) -> Broken | None:
    if before is None:
        return None
    if expected == {":"} and before.type in ("STRING", "TEXT_BLOCK"):
        return Broken(
            "MK123",
            "a `:` is missing after this text",
            before.start,
            before.end,
            "the reason",
            help='write `"why": condition`',
        )
    if expected == {"STRING", "TEXT_BLOCK"} and before.text in FORMS:
        return Broken(
            "MK123",
            f"`{before.text}` needs a text in quotes",
            token.start,
            token.end,
            f"found {found(token)}",
            help=f"write `{FORMS[before.text]}`",
        )
    if ".." in expected:
        return Broken(
            "MK123",
            "this range needs `..`",
            before.start,
            before.end,
            help="write `0..9`, `0..` or `..9`; the length of a list may be one number: `of 3`",
        )
    if "else" in expected:
        return Broken(
            "MK123",
            "an `else` is missing",
            token.start,
            max(token.end, token.start + 1),
            "before this",
            help="a condition gives a value in both cases: `a if x else b`",
        )
    if "matching" in expected and token.type in ("INT", "PLUS_MINUS", "FRACTION"):
        return Broken(
            "MK123",
            "an `in` is missing before this range",
            token.start,
            token.end,
            help=f"write `{before.text} in 0..9`",
        )
    if expected == {"["} and before.text in ("list", "map"):
        return Broken(
            "MK123",
            f"`{before.text}` needs the type of its items",
            token.start,
            token.end,
            help="write `list[int]`, `list[int] of 3`" if before.text == "list" else "write `map[string, int]`",
        )
    if "=" in expected and ":" not in expected and _is_type_end(before) and "?" in expected and token.text != "=":
        return Broken(
            "MK123",
            "the value is missing after this type",
            before.start,
            before.end,
            help="write `= …` behind it; a state field needs its initial value",
        )
    return None


def _is_type_end(token: Token) -> bool:
    return token.type in ("NAME", "INT", "STRING", "REGEX") or token.text in ("]", "}", "?", "..", ")")


def _method(text: str, token: Token, before: Token | None, expected: frozenset[str]) -> Broken | None:
    if token.text != "(" or before is None or "." not in expected or before.end != token.start:
        return None
    if before.type != "NAME" or text[before.start - 1 : before.start] != ".":
        return None
    help_text = replacement(text, before.text, before.start - 1, token.start)
    return Broken("MK108", "values have no methods", before.start, token.end, help=help_text)


def _inner_quote(text: str, token: Token, before: Token | None, expected: frozenset[str]) -> Broken | None:
    """`"say "yes""`: a text that ends at a quote meant to stand inside it."""
    if before is None or before.type != "STRING" or before.end != token.start or token.type != "NAME":
        return None
    line_end = text.find("\n", token.start)
    if '"' not in text[token.end : len(text) if line_end < 0 else line_end]:
        return None
    inside = 'a `"` inside a text is written `\\"`, or stands freely in a text block `"""…"""`'
    if before.text.count("{") > before.text.count("}"):
        inside = 'declare a `type` and name it in the hole, or write the reply as a text block `"""…"""`'
    return Broken("MK102", 'the inner `"` ends this text', before.end - 1, before.end, "here", help=inside)


def _call(text: str, token: Token, before: Token | None, expected: frozenset[str]) -> Broken | None:
    if token.text != "(" or before is None or "." not in expected:
        return None
    line_break = "\n" in text[before.end : token.start]
    if line_break:
        return None
    return Broken(
        "MK108", "only functions can be called, by their names", token.start, token.end, help="write `name(…)`"
    )


def _part(text: str, token: Token, before: Token | None, expected: frozenset[str]) -> Broken | None:
    """An unknown word, or a known one in the wrong block, where an entry starts."""
    if token.type != "NAME" and token.text not in RESERVED:
        return None
    homes = [home for home, words in BLOCK_WORDS.items() if set(words) <= expected or set(words) - {"step"} <= expected]
    if not homes or (before is not None and before.type not in (NEW_LINE, "SEMICOLON") and not _is_free(before)):
        return None
    if "+" in expected or "PLUS_MINUS" in expected:
        return None
    home = homes[0]
    words = BLOCK_WORDS[home]
    other = home_of(token.text)
    if other is not None and other != home:
        return Broken(
            "MK121",
            f"`{token.text}` does not belong directly into {home}",
            token.start,
            token.end,
            help=f"it belongs into {other}: `{FORMS[token.text]}`",
        )
    after = re.compile(r"[ \t]*=(?!=)").match(text, token.end)
    if after is not None and home == "a step":
        return Broken(
            "MK121",
            f"`{token.text} = …` does not belong directly into a step",
            token.start,
            token.end,
            help=f"a local is `let {token.text} = …`; a change of the state stands in `update {{ … }}`",
        )
    otherwise = f"{home} has " + listed(words)
    return Broken(
        "MK111",
        f"{home} has no `{token.text}`",
        token.start,
        token.end,
        help=did_you_mean(token.text, words, otherwise),
    )


def _is_free(before: Token) -> bool:
    return (
        before.text in ("{", "}")
        or before.type in ("STRING", "TEXT_BLOCK", "INT", "FRACTION")
        or before.text
        in (
            ")",
            "]",
            "accept",
            "reject",
            "steps",
            "end",
            "whole",
            "fenced",
        )
    )


def _glued(text: str, token: Token, before: Token | None, expected: frozenset[str]) -> Broken | None:
    """Something that follows a complete entry on the same line."""
    starts_value = token.type in ("NAME", "INT", "FRACTION", "STRING", "TEXT_BLOCK")
    if before is None or not starts_value:
        return None
    if "," in expected and NEW_LINE not in expected and "]" in expected | {")", "}"}:
        return Broken(
            "MK123",
            f"an operator or a `,` is missing before {found(token)}",
            token.start,
            token.end,
        )
    if NEW_LINE in expected:
        near = did_you_mean(token.text, [word for word in expected if word.isalpha() and word.islower()])
        if "//" in text[text.rfind("\n", 0, token.start) + 1 : token.start]:
            near = "a comment begins with `#`; `//` divides ints"
        return Broken(
            "MK101",
            f"{found(token)} can't follow here",
            token.start,
            token.end,
            "what stands before it is complete",
            help=near or "start a new line or write `;` between two entries; write an operator between two values",
        )
    return None


def _expected(text: str, token: Token, before: Token | None, expected: frozenset[str], *, in_hole: bool) -> Broken:
    what = choice(expected)
    help_text = None
    if in_hole:
        help_text = "a hole is written `{name: type}`; a brace that belongs to the reply itself is written `{{` or `}}`"
    elif expected == {"end"}:
        help_text = 'the places of a reply are `at end`, `whole`, `fenced` and `in tag "…"`'
    elif before is not None and before.text in FORMS and before.type != "NAME":
        help_text = f"write `{FORMS[before.text]}`"
    elif token.type == "NAME":
        help_text = did_you_mean(token.text, [word for word in expected if word.isalpha() and word.islower()])
    start, end = token.start, token.end
    if token.type == END:
        start = before.end - 1 if before is not None else 0
        end = start + 1
        where = "the hole" if in_hole else "the text"
        return Broken("MK101", f"expected {what}, but {where} ends here", start, end, "after this", help=help_text)
    if token.text in RESERVED and "NAME" in expected:
        return Broken("MK101", f"`{token.text}` is a word of the language and can't be a name", start, end)
    return Broken("MK101", f"expected {what}, found {found(token)}", start, end, help=help_text)
