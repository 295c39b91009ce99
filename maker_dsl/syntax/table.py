"""The parse table of the language, made from `grammars/maker.lark` by Lark.

Making it takes Lark half a second, so the finished table is kept in the user's cache directory as JSON, under a name
that is a hash of the grammar, which alone determines it. With a kept table Lark is not even imported. A directory that
can't be written, or a file that can't be read, costs the half second again and nothing else.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from maker_dsl.bundled import bundled_path

_LAYOUT = 2
"""Part of the name of a kept table: raise it when the layout of the JSON changes."""

STARTS = ("task_file", "expression", "member", "fields")
"""What a text can be parsed as."""

END = "$END"
"""The terminal after the last token."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A production: how much of the stack it takes and what it makes of it.

    `build` names the builder's method; None passes the only child on. `take` has one entry for each symbol: "keep",
    "drop" or "splice"; `blanks` says how many absent optional children stand before each symbol and at the end.
    """

    origin: str
    size: int
    build: str
    take: tuple[str, ...]
    blanks: tuple[int, ...]
    passes_single: bool
    is_spliced: bool
    is_through: bool
    """Whether it always passes its only child on as it is."""


@dataclass(frozen=True, slots=True)
class Table:
    """The LALR(1) automaton. An action is a state to go to (0 or more) or -1 - the number of a rule to reduce by."""

    states: tuple[dict[str, int], ...]
    rules: tuple[Rule, ...]
    starts: dict[str, int]
    ends: dict[str, int]
    words: dict[str, str]
    """The text of each keyword, and its terminal."""
    signs: dict[str, str]
    """The text of each sign, and its terminal."""
    patterns: dict[str, str]
    """The terminals that are regular expressions."""


@lru_cache(maxsize=1)
def load_table() -> Table:
    """The table of the bundled grammar: kept from an earlier time, else made and kept."""
    path = bundled_path("grammars", "maker")
    if path is None:
        raise FileNotFoundError("grammars/maker.lark is missing: the installation is damaged")
    grammar = path.read_text(encoding="utf-8")
    kept = _kept_path(grammar)
    data = _read(kept)
    if data is None:
        data = make(grammar)
        _keep(kept, data)
    return _table(data)


def _kept_path(grammar: str) -> Path | None:
    import platformdirs

    try:
        folder = Path(platformdirs.user_cache_dir("maker-dsl", appauthor=False))
    except (OSError, RuntimeError):
        return None
    key = hashlib.sha256(f"{_LAYOUT} {' '.join(STARTS)}\n{grammar}".encode()).hexdigest()
    return folder / f"syntax-{key[:32]}.json"


def _read(path: Path | None) -> dict[str, Any] | None:
    if path is None:
        return None
    try:
        text = path.read_bytes()
        digest, _, body = text.partition(b"\n")
        if digest.decode() != hashlib.sha256(body).hexdigest():
            return None
        data = json.loads(body)
    except (OSError, ValueError):
        return None
    return data if isinstance(data, dict) else None


def _keep(path: Path | None, data: dict[str, Any]) -> None:
    if path is None:
        return
    import tempfile

    body = json.dumps(data, separators=(",", ":")).encode()
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.stem)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(hashlib.sha256(body).hexdigest().encode() + b"\n" + body)
            Path(temporary).replace(path)
        except OSError:
            Path(temporary).unlink(missing_ok=True)


def _table(data: dict[str, Any]) -> Table:
    rules = tuple(
        Rule(
            origin,
            len(take),
            build,
            tuple(take),
            tuple(blanks),
            single,
            spliced,
            single and take == ["keep"] and not any(blanks),
        )
        for origin, build, take, blanks, single, spliced in data["rules"]
    )
    return Table(
        tuple(data["states"]), rules, data["starts"], data["ends"], data["words"], data["signs"], data["patterns"]
    )


def make(grammar: str, *, strict: bool = False) -> dict[str, Any]:
    """The table as JSON data; `strict` refuses every conflict and every collision of terminals (needs interegular)."""
    from lark import Lark
    from lark.parsers.lalr_analysis import Shift

    lark = Lark(grammar, parser="lalr", start=list(STARTS), maybe_placeholders=True, strict=strict)
    parse_table: Any = lark.parser.parser._parse_table
    numbers = {rule: number for number, rule in enumerate(lark.rules)}
    order = _numbered(parse_table.states, list(parse_table.start_states.values()), Shift)
    states: list[dict[str, int]] = [
        {
            symbol: order[target] if action is Shift else -1 - numbers[target]
            for symbol, (action, target) in sorted(parse_table.states[state].items())
        }
        for state in order
    ]
    words, signs, patterns = {}, {}, {}
    for terminal in lark.terminals:
        text = terminal.pattern.value
        if terminal.pattern.type != "str":
            patterns[terminal.name] = text
        elif text.isalpha():
            words[text] = terminal.name
        else:
            signs[text] = terminal.name
    return {
        "states": states,
        "rules": [_rule(rule) for rule in lark.rules],
        "starts": {start: order[state] for start, state in parse_table.start_states.items()},
        "ends": {start: order[state] for start, state in parse_table.end_states.items()},
        "words": words,
        "signs": signs,
        "patterns": patterns,
    }


def _numbered(states: Any, starts: list[Any], shift: Any) -> dict[Any, int]:
    """Numbers for the states in the order in which they are reached: Lark's own differ from run to run."""
    order: dict[Any, int] = {}
    waiting = list(starts)
    while waiting:
        following: list[Any] = []
        for state in waiting:
            if state not in order:
                order[state] = len(order)
                following.extend(target for _, (action, target) in sorted(states[state].items()) if action is shift)
        waiting = following
    return order


def _rule(rule: Any) -> list[Any]:
    take = []
    for symbol in rule.expansion:
        if symbol.is_term:
            take.append("drop" if symbol.filter_out and not rule.options.keep_all_tokens else "keep")
        else:
            take.append("splice" if symbol.name.startswith("_") else "keep")
    blanks = [0] * (len(take) + 1)
    if rule.options.empty_indices:
        runs = "".join("1" if empty else "0" for empty in rule.options.empty_indices).split("0")
        blanks = [len(run) for run in runs]
    name = rule.origin.name
    return [
        name,
        rule.alias or name,
        take,
        blanks,
        bool(rule.options.expand1) and not rule.alias,
        name.startswith("_"),
    ]
