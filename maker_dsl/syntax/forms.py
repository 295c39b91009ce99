"""Which words start the entries of which block, and how each entry is written: what messages offer to the author."""

from __future__ import annotations

BLOCK_WORDS: dict[str, tuple[str, ...]] = {
    "a task": (
        "about",
        "input",
        "type",
        "state",
        "invariant",
        "def",
        "done",
        "result",
        "expect",
        "vote",
        "step",
        "reference",
        "test",
        "checker",
    ),
    "a step": ("system", "prompt", "with", "let", "run", "reply", "rule", "flag", "update", "vote"),
    "a test": ("with", "given", "step", "reply", "accept", "reject", "then"),
    "a reference": ("let", "mistake"),
    "a vote block": ("ahead", "at", "then", "temperature", "on"),
    "a file": ("task", "use"),
}

FORMS = {
    "about": 'about "…"',
    "input": "input name: type = default",
    "type": "type Name = type",
    "state": "state { field: type = initial }",
    "invariant": 'invariant "why": condition',
    "def": "def name(argument: type) -> type = expression",
    "done": "done when condition",
    "result": "result { name = expression }",
    "expect": "expect 100 steps",
    "vote": "vote { ahead by 3; at most 60 samples; temperature 0 then 0.1 }",
    "step": "step name when condition { … }",
    "reference": "reference step_name { field = expression }",
    "test": 'test "…" { given { … } reply "…" accept }',
    "system": 'system """…"""',
    "prompt": 'prompt """…"""',
    "let": "let name = expression",
    "reply": 'reply "name = {name: type}"',
    "rule": 'rule "why": condition',
    "flag": 'flag "why": condition',
    "update": "update { field = expression }",
    "ahead": "ahead by 3",
    "at": "at most 60 samples",
    "temperature": "temperature 0 then 0.1",
    "on": "on field",
    "mistake": "mistake { field = expression }",
    "with": "with { input = value }",
    "given": "given { field = value }",
    "accept": "accept",
    "reject": 'reject "why"',
    "then": "then condition",
    "run": "run name = task(input = expression)",
    "checker": 'checker name(argument: type) -> bool from "plugin"',
    "use": 'use "file.maker"',
    "variant": 'prompt variant "name" """…"""',
    "task": "task name { … }",
    "json": "reply json { name: type }",
    "grammar": 'reply grammar """…""" { name: type }',
}


def home_of(word: str) -> str | None:
    """The first block whose entries start with the word."""
    return next((home for home, words in BLOCK_WORDS.items() if word in words), None)
