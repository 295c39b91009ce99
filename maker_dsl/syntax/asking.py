"""Slips around how a step asks: `prompt variant`, `with profile`, `then format with`, and `checker`."""

from __future__ import annotations

import re

from maker_dsl.syntax.broken import Broken
from maker_dsl.syntax.entry import Entry

_FORMAT = 'reply … then format with "profile"'
_CHECKER = 'checker name(argument: type) -> bool from "plugin"'
_WORD = re.compile(r"[A-Za-z_][\w-]*")


def of_asking(entry: Entry) -> Broken | None:
    """What to say if the token is one of these slips."""
    if "run" in entry.expected:
        return _part(entry)
    if entry.word in ("prompt", "system"):
        return _variant(entry)
    if entry.word == "with" and ("profile" in entry.expected or entry.is_text_wanted):
        return _profile(entry)
    if entry.word == "checker":
        return _checker(entry)
    return _format_with(entry)


def _variant(entry: Entry) -> Broken | None:
    token, before = entry.token, entry.before
    is_name = token.type == "NAME" and _WORD.fullmatch(token.text) is not None
    form = f'write `{entry.word} variant "name" """…"""`'
    if entry.word == "system":
        if token.text == "variant":
            return entry.broken(
                "MK107", "`system` has no variants: it is the part that all wordings share", "take it out"
            )
        return None
    if before.text == "prompt" and is_name:
        shown = "name" if token.text.startswith("variant") else token.text
        return entry.broken(
            "MK123", "a prompt has no name, only its variants have", f'write `prompt variant "{shown}" …`'
        )
    if not entry.is_text_wanted:
        return None
    if before.text == "variant":
        shown = token.text if is_name else "name"
        title = "the name of a variant stands in quotes" if is_name else "`variant` needs a name in quotes"
        return entry.broken("MK123", title, form.replace('"name"', f'"{shown}"'))
    if token.text in (":", "="):
        return entry.broken(
            "MK107", "nothing stands between the name of a variant and its text", f"take out the `{token.text}`"
        )
    return entry.broken("MK123", "this variant has a name or a text, but not both", form, at=before)


def _profile(entry: Entry) -> Broken:
    token = entry.token
    quoted = re.compile(r"\"([^\"\n]*)\"").search(entry.text)
    word = _WORD.fullmatch(token.text)
    shown = quoted[1] if quoted else token.text if word is not None and entry.is_text_wanted else "strong"
    help_text = f'write `with profile "{shown}"`'
    if not entry.is_text_wanted:
        return entry.broken("MK123", "`with` in a step names a profile", help_text)
    if token.text in ("=", ":"):
        return entry.broken("MK107", f"no `{token.text}` stands behind `profile`", help_text)
    title = "the name of a profile stands in quotes" if word is not None else "`profile` needs a name in quotes"
    return entry.broken("MK123", title, help_text)


def _format_with(entry: Entry) -> Broken | None:
    token, before = entry.token, entry.before
    quoted = re.compile(r"\"([^\"\n]*)\"").search(entry.rest)
    shown = quoted[1] if quoted else token.text if token.type == "NAME" and before.text == "with" else "profile"
    help_text = f'write `then format with "{shown}"`'
    if before.text == "then" and entry.expected == {"format"}:
        return entry.broken("MK123", "behind a reply, `then` says with which profile it is put into form", help_text)
    if before.text == "format" and entry.expected == {"with"}:
        return entry.broken("MK123", "a `with` is missing behind `format`", help_text)
    if before.text != "with" or not entry.is_text_wanted:
        return None
    if token.text == "profile":
        return entry.broken("MK107", "the profile is named right behind `with`", help_text)
    title = "the name of a profile stands in quotes" if token.type == "NAME" else "`with` needs the name of a profile"
    return entry.broken("MK123", title, help_text)


def _part(entry: Entry) -> Broken | None:
    """Where a part of a step could begin."""
    token = entry.token
    if entry.word == "prompt" and entry.before.type == "STRING" and token.type in ("STRING", "TEXT_BLOCK"):
        help_text = f"write `prompt variant {entry.before.text} …`"
        return entry.broken("MK123", "a prompt has one text; only a variant has a name before it", help_text)
    if token.text == "variant":
        return entry.broken("MK121", "`variant` belongs behind `prompt`", 'write `prompt variant "name" """…"""`')
    if token.text in ("profile", "model", "using", "provider"):
        quoted = re.compile(r"\"([^\"\n]*)\"").search(entry.rest)
        shown = quoted[1] if quoted and token.text != "model" else "strong"
        help_text = f'a step\'s samples come from `with profile "{shown}"`; the profile says which model'
        return entry.broken("MK111", f"a step has no `{token.text}`", help_text)
    if token.text in ("then", "format"):
        title = f"`{token.text}` stands behind the form of a reply"
        return entry.broken("MK121", title, f"write `{_FORMAT}`")
    if token.text in ("at", "whole", "fenced") and entry.word == "reply":
        title = "the place of a reply stands before `then format with`"
        return entry.broken("MK121", title, f'write `reply … {_placement(entry)} then format with "profile"`')
    if token.text == "," and entry.word == "reply" and entry.rest[1:].lstrip().startswith("then"):
        return entry.broken("MK107", "no `,` stands before `then`", f"write `{_FORMAT}`")
    return None


def _placement(entry: Entry) -> str:
    return "at end" if entry.token.text == "at" else entry.token.text


def _checker(entry: Entry) -> Broken | None:
    token, before, expected = entry.token, entry.before, entry.expected
    help_text = f"write `{_CHECKER}`"
    if entry.is_text_wanted:
        shown = token.text if token.type == "NAME" else "plugin"
        title = (
            "the name of a plug-in stands in quotes" if token.type == "NAME" else "`from` needs the name of a plug-in"
        )
        return entry.broken("MK123", title, f'write `from "{shown}"`')
    if "from" in expected:
        if token.text == "=":
            help_text = 'a function that the task works out itself is a `def`; a checker ends with `from "plugin"`'
        return entry.broken("MK123", "this checker does not say which plug-in it comes from", help_text)
    if "->" in expected:
        return entry.broken("MK123", "this checker does not say what it gives", help_text)
    if expected == {"("}:
        return entry.broken("MK123", "this checker does not say what it is given", help_text)
    if expected == {":"} and before.type == "NAME":
        title = f"the parameter `{before.text}` needs a type"
        return entry.broken("MK123", title, f"write `{before.text}: type`", at=before)
    if before.text == "checker":
        return entry.broken("MK123", "`checker` needs a name", help_text)
    return None
