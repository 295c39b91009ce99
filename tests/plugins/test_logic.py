"""The plug-in `logic`: known arguments, agreement with truth tables, and what it refuses."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maker_dsl.plugins import CannotJudge
from maker_dsl.plugins.logic import consistent, equivalent, follows, readable


@pytest.mark.parametrize(
    ("premises", "conclusion", "holds"),
    [
        (["rain -> wet", "rain"], "wet", True),
        (["rain -> wet", "wet"], "rain", False),
        (["a or b", "not a"], "b", True),
        (["x > 3", "y >= x"], "y > 2", True),
        (["2*price + fee <= 100", "fee >= 20"], "price <= 40", True),
        (["2*price + fee <= 100", "fee >= 20"], "price < 40", False),
        (["(x + 1) * 2 = 6"], "(x) = 2", True),
        ([], "a or not a", True),
        (["false"], "anything", True),
        (["a <-> b", "b -> c"], "a -> c", True),
    ],
)
def test_follows(premises: list[str], conclusion: str, holds: bool) -> None:
    assert follows(premises, conclusion) is holds


def test_consistent() -> None:
    assert consistent(["a", "b -> not a"])
    assert not consistent(["a", "not a"])
    assert not consistent(["x < 1", "x > 1"])
    assert consistent([])


@pytest.mark.parametrize("text", ["x*y > 2", "a and a > 1", "(", "", "x / 0 = 1", "a ->", "x" * 10_001])
def test_what_cannot_be_read(text: str) -> None:
    assert not readable(text)
    with pytest.raises(CannotJudge):
        follows([text], "a")


names = st.sampled_from(["a", "b", "c"])
formulas = st.recursive(
    names,
    lambda inner: st.one_of(
        inner.map(lambda one: f"not ({one})"),
        st.tuples(inner, st.sampled_from(["and", "or", "->", "<->"]), inner).map(
            lambda parts: f"({parts[0]}) {parts[1]} ({parts[2]})"
        ),
    ),
    max_leaves=6,
)


def value(formula: str, world: dict[str, bool]) -> bool:
    """The formula in one world, by Python's own operators: `->` is `<=` of truth values, `<->` is `==`."""
    return bool(eval(formula.replace("<->", "==").replace("->", "<="), {}, world))


@settings(max_examples=60, deadline=None)
@given(formulas, formulas)
def test_agrees_with_truth_tables(premise: str, conclusion: str) -> None:
    worlds = [dict(zip("abc", values, strict=True)) for values in product([False, True], repeat=3)]
    premise, conclusion = f"({premise})", f"({conclusion})"
    expected = all(value(conclusion, world) for world in worlds if value(premise, world))
    assert follows([premise], conclusion) is expected
    assert equivalent(premise, conclusion) is all(value(premise, w) == value(conclusion, w) for w in worlds)
