"""Tasks with bundled grammars, rehearsed on a simulated model that is often wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from transcript import run_maker

TASK = """task t {{
  state {{ n: int = 0; last: {type} = {first} }}
  done when n == 2
  step {{
    prompt "{{{{ n }}}} {{{{ reply.format }}}}"
    reply grammar from "{grammar}" fenced
    update {{ n = n + 1; last = reply.{field} }}
  }}
  reference {{ {reference} }}
}}
"""

REHEARSALS = {
    "csv_row": ("cells", "list[string]", '[""]', 'cells = ["a,b", "", "c"]'),
    "iso_date": ("date", "date?", "null", 'date = date("2026-11-23")'),
    "list": ("items", "list[string]", "[]", 'items = ["one", "two words"]'),
    "markdown_table": ("cells", "list[string]", "[]", 'header = ["a", "b"]; cells = ["1", "", "x y", "2"]'),
    "unified_diff": ("hunks", "list[string]", "[]", 'old = "a"; new = "b"; hunks = ["@@ -1 +1 @@\\n-x\\n+y\\n"]'),
    "python_expression": ("expression", "string", '""', 'expression = "f(x)[1:]"'),
}


@pytest.mark.parametrize("name", REHEARSALS)
def test_a_rehearsal_comes_to_the_right_end(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MAKER_PROVIDER", raising=False)
    field, type, first, reference = REHEARSALS[name]
    text = TASK.format(grammar=name, field=field, type=type, first=first, reference=reference)
    Path("t.maker").write_text(text, encoding="utf-8")
    wrong = ["--override", "simulate.wrong=0.2", "--override", "simulate.malformed=0.2", "--seed", "5"]
    output, code = run_maker(["run", "t.maker", "--quiet", "--json", *wrong])
    assert code == 0, output
    assert json.loads(output)["result"]["n"] == 2
    output, code = run_maker(["verify", "last"])
    assert code == 0, output
