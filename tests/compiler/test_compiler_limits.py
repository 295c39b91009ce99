"""What all evaluations that start a task may do together, and how large its state may be."""

from __future__ import annotations

import pytest

from maker_dsl.diagnostics import Source
from maker_dsl.expressions.errors import EvaluationError
from maker_dsl.expressions.fuel import FUEL, is_out_of_fuel, shared_fuel, spend
from maker_dsl.expressions.limits import MAX_FUEL
from maker_dsl.language import InputRefused, Program, check_text

TASK = """task t {{
  {inputs}
  state {{ n: int = 3 {fields} }}
  {rest}
  done when n == 0
  step {{
    prompt "N {{{{ n }}}} {{{{ reply.format }}}}"
    reply "next = {{value: int}}"
    update {{ n = reply.value }}
  }}
}}
"""

pytestmark = pytest.mark.timeout(60)


def errors(inputs: str = "", fields: str = "", rest: str = "") -> list[tuple[str, str]]:
    checked = check_text(Source("t.maker", TASK.format(inputs=inputs, fields=fields, rest=rest)))
    return [(one.code, one.title) for one in checked.diagnostics if one.severity.name == "ERROR"]


def program(inputs: str) -> Program:
    checked = check_text(Source("t.maker", TASK.format(inputs=inputs, fields="", rest="")))
    assert checked.program is not None, checked.diagnostics
    return checked.program


def test_the_defaults_of_many_inputs_share_one_fuel() -> None:
    inputs = "\n  ".join(f"input i{i}: int = sum(x for x in range(1000000))" for i in range(100))
    ((code, title),) = errors(inputs=inputs)
    assert code == "MK361"
    assert title.startswith("the default of `i")


def test_the_values_of_a_large_state_share_one_fuel_and_the_first_too_many_is_told() -> None:
    fields = "; ".join(["", *(f's{i}: string = "a" * 9999999' for i in range(50))])
    assert [code for code, _ in errors(fields=fields)] == ["MK361"]


def test_invariants_share_one_fuel_and_the_first_too_many_is_told() -> None:
    rest = "\n  ".join(f'invariant "i{i}": all(x >= n - n for x in range(1000000))' for i in range(50))
    assert [code for code, _ in errors(rest=rest)] == ["MK361"]


@pytest.mark.parametrize(
    "fields",
    [
        '; a: string = "a" * 6000000; b: string = "a" * 6000000',
        "; a: list[int] = [1] * 600000; b: list[int] = [1] * 600000",
    ],
)
def test_a_state_that_is_too_large_in_all_is_refused(fields: str) -> None:
    assert errors(fields=fields) == [("MK361", "the initial state is too large")]


def test_every_binding_has_a_fuel_of_its_own() -> None:
    bound = program("input size: int = 1\n  input total: int = sum(x for x in range(size))")
    for _ in range(5):
        bound.bind({"size": 1_000_000})
    with pytest.raises(InputRefused, match="total"):
        bound.bind({"size": 10_000_000})
    bound.bind({"size": 1_000_000})


def test_fuel_is_shared_inside_and_full_again_behind() -> None:
    with shared_fuel(100):
        spend(40)
        with shared_fuel():
            spend(40)
            assert FUEL.left == 20
        assert FUEL.left == 20
        with shared_fuel(10):
            with pytest.raises(EvaluationError, match="too much work"):
                spend(30)
            assert is_out_of_fuel()
        assert is_out_of_fuel()
    assert not is_out_of_fuel()
    assert FUEL.left == MAX_FUEL
