"""What prompts may say, and what is known of values in them."""

from __future__ import annotations

import pytest

from maker_dsl.checker.templates import CheckedTemplate, check_template
from maker_dsl.diagnostics import Diagnostic, Problems, Source, Span
from maker_dsl.syntax import tree
from maker_dsl.types.type import (
    DecimalType,
    EnumType,
    IntType,
    ListType,
    MapType,
    Member,
    OptionalType,
    RecordType,
    StringType,
    TupleType,
    Type,
)

MOVE = TupleType((Member("disk", IntType()), Member("source", IntType())), alias="Move")
NOTE = RecordType((Member("text", StringType()), Member("by", OptionalType(StringType()))))
NAMES: dict[str, Type] = {
    "n": IntType(),
    "price": DecimalType(),
    "pegs": ListType(ListType(IntType())),
    "last": OptionalType(MOVE),
    "prices": MapType(DecimalType()),
    "side": EnumType(("left", "right")),
    "note": OptionalType(NOTE),
}


def check(text: str) -> tuple[CheckedTemplate | None, tuple[Diagnostic, ...]]:
    source = Source("task.maker", text)
    problems = Problems()
    checked = check_template(tree.Text(Span(source, 0, len(text)), text, ((0, 0),)), NAMES, {"later": "why"}, problems)
    return checked, problems.sorted()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "plain { text } with 100 %",
        "{{ n }} {{ price }} {{ pegs }} {{ last }}",
        "{{ last or 'none' }}",
        "{{ last.disk if last else 'none' }}",
        "{{ last[0] if last is not none else 0 }}",
        "{% if last %}{{ last.disk + 1 }}{% endif %}",
        "{% if not last %}x{% else %}{{ last.disk }}{% endif %}",
        "{% if last is none %}x{% elif last.disk > 1 %}{{ last.source }}{% endif %}",
        "{% if last == null %}x{% else %}{{ last['disk'] }}{% endif %}",
        "{% if note and note.by and note.by | length > 2 %}{{ note.by | upper }}{% endif %}",
        "{% for peg in pegs if peg %}{{ loop.index }}: {{ peg | join('-') }}{% else %}none{% endfor %}",
        "{% for peg in pegs %}{% for disk in peg %}{{ disk - 1 }}{% endfor %}{% endfor %}",
        "{% for item, price in prices.items() %}{{ item }} {{ price }}{% endfor %}",
        "{% for item in prices %}{{ prices[item] }}{% endfor %}",
        "{{ pegs[0][1:] }} {{ pegs[-1] | length }} {{ pegs | first | last }}",
        "{{ reply.format }} {{ reply.example }}",
        "{% if side == 'left' or side in ['right'] %}x{% endif %}",
        "{% if n is odd and n > 1 %}x{% endif %}{# comment {{ nothing }} #}{% raw %}{{ raw }}{% endraw %}",
        "{{ 'left' if side == 'left' else n }}",
    ],
)
def test_template_is_fine(text: str) -> None:
    checked, found = check(text)
    assert found == ()
    assert checked is not None


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("{{ m }}", "MK282", "m"),
        ("{{ later }}", "MK286", "later"),
        ("{{ last.disk }}", "MK382", "last"),
        ("{{ last.disk or 1 }}", "MK382", "last"),
        ("{% if last or n %}{{ last.disk }}{% endif %}", "MK382", "last"),
        ("{% if n %}{% else %}{{ last.disk }}{% endif %}", "MK382", "last"),
        ("{% if last %}{% endif %}{{ last.disk }}", "MK382", "last"),
        ("{% for last in [last] %}{{ last.disk }}{% endfor %}", "MK382", "last"),
        ("{% if note %}{{ note.by | upper }}{% endif %}", "MK382", "upper"),
        ("{{ n.real }}", "MK283", "real"),
        ("{{ prices.items }}", "MK283", "items"),
        ("{{ pegs.append(1) }}", "MK284", "pegs.append"),
        ("{{ reply }}", "MK381", "reply"),
        ("{{ reply['value'] }}", "MK286", "value"),
        ("{{ loop.index }}", "MK282", "loop"),
        ("{% for x in pegs %}{{ loop }}{% endfor %}", "MK381", "loop"),
        ("{% for x in pegs %}{{ loop.changed(x) }}{% endfor %}", "MK284", "loop.changed"),
        ("{% for x in pegs recursive %}{{ x }}{% endfor %}", "MK284", "f"),
        ("{{ price + 1.5 }}", "MK381", "1"),
        ("{{ n + side }}", "MK381", "side"),
        ("{{ n // 2 }}", "MK284", "//"),
        ("{{ n ~ 1 }}", "MK284", "~"),
        ("{{ pegs['0'] }}", "MK381", "'0'"),
        ("{{ last[2] if last else 0 }}", "MK381", "2"),
        ("{{ n | default(1) }}", "MK285", "default"),
        ("{{ n | join }}", "MK381", "join"),
        ("{{ pegs | join(1) }}", "MK381", "join"),
        ("{{ pegs | tojson }}", "MK285", "tojson"),
        ("{{ n is defined }}", "MK285", "defined"),
        ("{{ n is none(1) }}", "MK285", "none"),
        ("{{ side is even }}", "MK381", "even"),
        ("{% macro x() %}{% endmacro %}", "MK284", "macro"),
        ("{% block x %}{% endblock %}", "MK284", "block"),
        ("{% extends 'x' %}", "MK284", "extends"),
        ("{% import 'x' as x %}", "MK284", "import"),
        ("{% filter upper %}x{% endfilter %}", "MK284", "filter"),
        ("{% call n() %}{% endcall %}", "MK284", "call"),
        ("{% with x = 1 %}{% endwith %}", "MK284", "with"),
        ("{% autoescape true %}{% endautoescape %}", "MK284", "autoescape"),
        ("{% do n %}", "MK281", "d"),
        ("{{ {'a': 1} }}", "MK284", "{"),
    ],
)
def test_template_is_refused_at_its_place(text: str, code: str, place: str) -> None:
    checked, found = check(text)
    assert checked is None
    assert [one.code for one in found] == [code], found
    assert found[0].primary.span.text == place


def test_templates_know_what_they_read() -> None:
    checked, _ = check("{{ n }} {% if last %}{{ last.disk }}{% endif %} {{ reply.format }}")
    assert checked is not None
    assert checked.names == {"n", "last"}
    assert checked.uses_reply_forms


def test_a_place_in_a_text_block_is_found_in_the_file() -> None:
    text = "x\n  {% if n %}\n  {{- n }}\n\n {{ misspelt }}{% endif %}"
    _, found = check(text)
    assert found[0].primary.span.text == "misspelt"
