"""Slips around what puts tasks together: `use`, `run … for each`; told by the entry that the token stands in."""

from __future__ import annotations

import re

from maker_dsl.syntax.broken import Broken
from maker_dsl.syntax.entry import Entry
from maker_dsl.syntax.forms import FORMS

_IMPORTS = frozenset({"import", "include", "from", "require", "load", "using", "uses"})
_PATH = re.compile(r"[\"']([^\"'\n]*)[\"']|\b([A-Za-z_][\w./-]*)\s*$")
_RUN = re.compile(r"(?:run|call|let)\b\s*(?:(?P<name>\w+)\s*:?=\s*)?(?:run\s+)?(?P<task>[A-Za-z_]\w*)")
_EACH = re.compile(r"(?:for\b|foreach\b|each\b)[\s(]*(?:each\b|every\b|all\b)?[\s(]*(?P<name>[A-Za-z_]\w*)")
_EACH_FORM = "run name = task(input = x) for each x in list"


def of_composition(entry: Entry) -> Broken | None:
    """What to say if the token is one of these slips."""
    if "use" in entry.expected and "task" in entry.expected:
        return _use(entry)
    if entry.word == "use" and entry.is_text_wanted:
        return _used(entry)
    if entry.word == "run":
        return _run(entry) or _for_each(entry)
    if entry.token.type == "NAME" and entry.before.text == "run" and entry.word == "let":
        return _result(entry, entry.before.start)
    if "run" in entry.expected:
        return _misplaced(entry)
    return None


def _use(entry: Entry) -> Broken | None:
    """Where `use` could stand: a word that other languages have for it, or a second path."""
    token = entry.token
    if token.text in _IMPORTS:
        title = f"`{token.text}` is not part of the language"
        path = _PATH.search(entry.rest)
        shown = (path[1] or path[2]) if path is not None else ""
        if not shown.endswith(".maker"):
            help_text = (
                f"tasks of another file are used with `{FORMS['use']}`; what else a task needs comes in as `input`"
            )
            return entry.broken("MK108", title, help_text)
        return entry.broken("MK108", title, f'write `use "{shown}"`')
    if entry.word == "use" and token.text == ",":
        return entry.broken("MK107", "each `use` names one file", "write another `use` on its own line")
    if entry.word == "use" and token.text == "as":
        help_text = "tasks are run by the names that they have in their file: `run x = task(input = e)`"
        return entry.broken("MK108", "what is used keeps its name", help_text)
    return None


def _used(entry: Entry) -> Broken:
    path = re.compile(r"use\s+(?:[\w\s]*\bfrom\s+)?[\"'\[]*([\w./-]+)").match(entry.text)
    name = path[1] if path is not None and path[1] != "task" else "file"
    shown = name if name.endswith(".maker") else f"{name}.maker"
    title = "`use` needs the path of a file in quotes"
    return entry.broken("MK123", title, f'write `use "{shown}"`')


def _run(entry: Entry) -> Broken | None:
    """What stands before and in the brackets of a `run`."""
    token, expected, before = entry.token, entry.expected, entry.before
    called = _RUN.match(entry.text)
    name = (called["name"] if called is not None else None) or "name"
    task = called["task"] if called is not None else "task"
    if expected == {"="} and token.text == "(":
        title = f"the result of `{before.text}` needs a name"
        return entry.broken("MK123", title, f"write `run result = {before.text}(…)`", at=before)
    if expected == {"="} and token.text == ":":
        return entry.broken("MK107", "the result of a `run` is named with `=`", f"write `run {before.text} = …`")
    if before.text == "run" and expected == {"NAME"}:
        return entry.broken("MK123", "`run` needs a name for the result, and a task", f"write `{FORMS['run']}`")
    if before.text == "=" and expected == {"NAME"}:
        if token.text == "[":
            return entry.broken("MK107", "a `run` stands in no brackets", f"for many at once write `{_EACH_FORM}`")
        if token.type in ("STRING", "TEXT_BLOCK"):
            help_text = f'write `use "file.maker"` before the task, and here `run {name} = task(input = …)`'
            return entry.broken("MK107", "a task is run by its name, not by its file", help_text)
        help_text = f"write `run {name} = task(input = …)`; a value that is worked out here is `let {name} = …`"
        return entry.broken("MK123", "`run` needs a task", help_text)
    if expected == {"("}:
        if token.text == ".":
            help_text = f'write `use "{task}.maker"` before the task, and here `run {name} = task(input = …)`'
            return entry.broken("MK107", "a task is run by its name alone", help_text)
        title = "the inputs of a task stand in round brackets" if token.text == "{" else f"`{task}` needs its inputs"
        help_text = f"write `run {name} = {task}(input = …)`; without inputs `{task}()`"
        return entry.broken("MK123", title, help_text, at=None if token.text == "{" else before)
    if token.text == "for" and ")" in expected:
        help_text = f"write `run {name} = {task}(…) for each x in list`"
        return entry.broken("MK107", "`for each` stands behind the brackets", help_text)
    if token.text == ":" and "=" in expected and before.type == "NAME":
        return entry.broken("MK107", "the inputs of a task are given with `=`", f"write `{before.text} = …`")
    return None


def _for_each(entry: Entry) -> Broken | None:
    """What stands behind the brackets of a `run`."""
    token, expected, before = entry.token, entry.expected, entry.before
    each = _EACH.match(entry.rest)
    name = each["name"] if each is not None else "x"
    if expected == {"each"}:
        wrong = re.compile(r"(?:every|all)\s+(\w+)").match(entry.rest)
        shown = wrong[1] if wrong else token.text if token.type == "NAME" else "x"
        return entry.broken("MK123", "a `run` is repeated with `for each`", f"write `for each {shown} in …`")
    if before.text == "each" and expected == {"NAME"}:
        title = "`for each` has no brackets" if token.text == "(" else "`for each` needs a name for the item"
        inside = re.compile(r"\((\w+)").match(entry.rest)
        shown = inside[1] if inside is not None else "x"
        return entry.broken("MK123", title, f"write `for each {shown} in list`")
    if expected == {",", "in"}:
        if token.text in ("of", ":", "=", "from"):
            return entry.broken("MK107", "`for each` takes its items with `in`", f"write `for each {before.text} in …`")
        return entry.broken("MK123", "`for each` needs a list", f"write `for each {before.text} in list`", at=before)
    if "for" in expected and token.text in ("each", "foreach"):
        return entry.broken("MK107", "a `run` is repeated with `for each`", f"write `for each {name} in …`")
    if token.text == "if" and "or" in expected:
        help_text = "take them from a shorter list: `for each x in [x for x in xs if …]`"
        return entry.broken("MK107", "`for each` has no condition", help_text)
    if before.text == ")" and (token.type in ("PLUS_MINUS", "TIMES_OVER") or token.text in (".", "[")):
        named = re.compile(r"run\s+(\w+)").match(entry.text)
        shown = f"`{named[1]}`" if named is not None else "its name"
        help_text = f"use {shown} in `let` or `update`"
        return entry.broken("MK107", "nothing is done with the result here: it has a name", help_text)
    return None


def _misplaced(entry: Entry) -> Broken | None:
    """Where `run` could stand: the words in another order."""
    token = entry.token
    if token.text == "for" or (token.text == "foreach" and entry.word == "foreach"):
        title = f"`{token.text}` does not begin a part of a step"
        return entry.broken("MK121", title, f"it stands behind what is repeated: `{_EACH_FORM}`")
    if re.compile(r"\w+\s*=\s*run\b").match(entry.rest):
        return _result(entry, token.start, token.text)
    if token.text == "call":
        return _result(entry, token.start)
    return None


def _result(entry: Entry, start: int, name: str | None = None) -> Broken:
    called = _RUN.match(entry.text)
    name = name or (called["name"] if called is not None else None) or "result"
    task = re.compile(r"(?:\w+\s*=\s*)?(?:run|call)?\s*(\w+)\s*\(").search(entry.text)
    shown = task[1] if task is not None else "task"
    end = max(start + 3, entry.token.end)
    return Broken("MK107", "a sub-task is an entry of its own", start, end, help=f"write `run {name} = {shown}(…)`")
