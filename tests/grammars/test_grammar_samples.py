"""Published samples of each format, and texts that are none: the cases in `samples/`, one file for each grammar.

A case has any number of `text` blocks (one sample each), `lines` (one on each line) and `jsonl` (a JSON string on each
line).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from golden import Case, cases
from grammar_lab import bundled_grammar, grammar_text

from maker_dsl.bundled import reply_grammar_names
from maker_dsl.checker.grammar_fields import written_fields
from maker_dsl.diagnostics import Source
from maker_dsl.language import check_text
from maker_dsl.replies.grammar_header import read_header
from maker_dsl.task import Parsed
from maker_dsl.types.codec import Codec

SAMPLES = Path(__file__).parent / "samples"
NAMES = reply_grammar_names()


@pytest.mark.parametrize("case", cases(SAMPLES))
def test_a_sample_is_read_or_refused(case: Case, golden: Callable[[Case, str], None]) -> None:
    golden(case, "\n".join(said_of(case.path.stem, text) for text in texts(case)))


def texts(case: Case) -> Iterator[str]:
    for block in case.inputs:
        match block.info:
            case "text":
                yield block.text.removesuffix("\n")
            case "lines":
                yield from block.text.splitlines()
            case "jsonl":
                yield from map(json.loads, block.text.splitlines())
            case other:
                raise AssertionError(f"{case}: unknown block {other!r}")


def said_of(name: str, text: str) -> str:
    format = bundled_grammar(name)
    found = format.read(text)
    if isinstance(found, Parsed):
        dumped = json.loads(Codec(format.type, exact_ints=True).dump(found.value))
        return "\n".join(f"{field}: {json.dumps(one, ensure_ascii=False)}" for field, one in dumped.items())
    if found.offset is None:
        return f"refused: {found.message}"
    place = Source("reply", text).position(found.offset)
    return f"refused at {place.line}:{place.column}: {found.message}"


def test_every_grammar_has_samples_and_the_other_way_round() -> None:
    assert sorted(path.stem for path in SAMPLES.glob("*.md")) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_grammar_says_what_it_is_and_reads_and_renders_its_own_example(name: str) -> None:
    format = bundled_grammar(name)
    header = read_header(grammar_text(name))
    assert header.fields
    assert header.form
    assert header.form.split("\n")[0] in format.instructions
    assert "start:" not in format.instructions
    assert format.example == header.example
    found = format.read(format.example)
    assert isinstance(found, Parsed)
    again = format.read(format.render(found.value))
    assert isinstance(again, Parsed)
    assert again.value == found.value


@pytest.mark.parametrize("name", NAMES)
def test_a_task_takes_a_grammar_by_name_and_keeps_it(name: str) -> None:
    field = bundled_grammar(name).type.members[0].name
    text = f"""task t {{
  state {{ n: int = 0; kept: bool = false }}
  done when n > 0
  step {{
    prompt "{{{{ n }}}} {{{{ reply.format }}}}"
    reply grammar from "{name}" fenced
    update {{ n = n + 1; kept = reply.{field} == reply.{field} }}
  }}
}}
"""
    checked = check_text(Source("t.maker", text))
    assert checked.diagnostics == ()
    assert checked.program is not None
    task = checked.program.bind()
    alone = check_text(Source("elsewhere.maker", task.source_text))
    assert alone.diagnostics == ()
    assert alone.program is not None
    again = alone.program.bind()
    assert again.source_text == task.source_text
    (step,), (kept,) = task.steps, again.steps
    assert step.reply.type == kept.reply.type
    assert step.reply.example == kept.reply.example != ""
    assert step.reply.read(step.reply.example) == kept.reply.read(step.reply.example)


def test_the_table_of_the_docs_has_every_grammar_with_its_fields() -> None:
    text = (Path(__file__).parents[2] / "docs" / "grammars.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| (.+) \|$", text, re.MULTILINE)
    listed = {name: "{ " + ", ".join(re.findall(r"`([^`]+)`", fields)) + " }" for name, fields in rows}
    assert listed == {name: written_fields(Source(name, grammar_text(name))) for name in NAMES}
