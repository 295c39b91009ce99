"""What a request carries in each dialect, and which reply to a proof shows that a server holds models to grammars."""

from __future__ import annotations

import json
from typing import get_args

import pytest
from exports_lab import llguidance_recogniser, schema_recogniser
from gbnf_reader import recogniser as gbnf_recogniser

from maker_dsl.providers.constraint import TARGETS, Constrain, Dialect, proof_grammar, proves, request_members
from maker_dsl.task import Target

NONCE = "bcdfgh"
GRAMMAR = 'root ::= "a"\n'


def test_every_dialect_has_a_notation() -> None:
    assert set(TARGETS) == set(get_args(Dialect))
    assert [Constrain("prefer", dialect).target for dialect in TARGETS] == list(TARGETS.values())


@pytest.mark.parametrize(
    ("dialect", "members"),
    [
        ("llama.cpp", {"extra_body": {"grammar": GRAMMAR}}),
        ("vllm", {"extra_body": {"structured_outputs": {"grammar": GRAMMAR}}}),
        ("sglang", {"extra_body": {"ebnf": GRAMMAR}}),
        ("fireworks", {"extra_body": {"response_format": {"type": "grammar", "grammar": GRAMMAR}}}),
    ],
)
def test_a_grammar_goes_where_the_server_looks_for_it(dialect: Dialect, members: object) -> None:
    assert request_members(dialect, GRAMMAR) == members


def test_a_schema_goes_into_the_response_format() -> None:
    schema = {"type": "object"}
    assert request_members("json-schema", json.dumps(schema)) == {
        "response_format": {"type": "json_schema", "json_schema": {"name": "reply", "schema": schema, "strict": True}}
    }


def test_a_tool_s_grammar_comes_with_the_one_choice_of_that_tool() -> None:
    members = request_members("openai-tool", "start: /a/\n")
    (tool,) = members["tools"]
    assert tool["format"] == {"type": "grammar", "syntax": "lark", "definition": "start: /a/\n"}
    assert members["tool_choice"] == {"type": "custom", "name": tool["name"]}
    assert members["parallel_tool_calls"] is False


@pytest.mark.parametrize("target", sorted(set(TARGETS.values())))
def test_the_grammar_of_a_proof_admits_the_nonce_alone(target: Target) -> None:
    grammar = proof_grammar(target, NONCE)
    recognise = {
        "gbnf": gbnf_recogniser,
        "llguidance": llguidance_recogniser,
        "json-schema": schema_recogniser,
    }[target](grammar)
    right = json.dumps({"number": NONCE}) if target == "json-schema" else NONCE
    others = ["", "Hello!", NONCE[:-1], NONCE + "x", '{"number": "hello"}', '{"number": "bcdfgh", "more": 1}', "{}"]
    assert recognise(right)
    assert proves(target, NONCE, right)
    for other in others:
        assert not recognise(other), other
        assert not proves(target, NONCE, other), other


def test_a_nonce_that_is_only_talked_about_proves_nothing() -> None:
    assert not proves("gbnf", NONCE, f"The grammar wants {NONCE}")
    assert not proves("json-schema", NONCE, f"It is {{'number': '{NONCE}'}}")
    assert not proves("json-schema", NONCE, "[" * 200_000)
    assert proves("gbnf", NONCE, f" {NONCE}\n")
