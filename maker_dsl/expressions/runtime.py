"""Binds compiled expressions to a task's inputs and runs them: fuel, and errors in the language's words.

The names of RUNTIME are the only ones, besides a task's own, that compiled code finds: it has no builtins of Python,
no modules and no attributes but those of a raw reply.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from types import CodeType, MappingProxyType
from typing import Any

from maker_dsl.diagnostics import Source
from maker_dsl.expressions import arithmetic, fuel
from maker_dsl.expressions.builtins import IMPLEMENTATIONS
from maker_dsl.expressions.conversions import convert
from maker_dsl.expressions.fuel import FUEL
from maker_dsl.expressions.limits import MAX_FUEL
from maker_dsl.expressions.locations import FAILURES, located

ENTRY, DEF, INPUT, LOCAL, BUILTIN, HELPER, DECIMAL = "e_", "f_", "i_", "l_", "b_", "h_", "k_"
"""Prefixes that keep the names of compiled code apart: entries, defs, inputs, locals, builtins, helpers, decimals."""

_HELPERS: dict[str, Any] = {
    "spend": fuel.spend,
    "spend_text": fuel.spend_text,
    "spend_items": fuel.spend_items,
    "spend_all": fuel.spend_all,
    "each": fuel.each,
    "each_key": fuel.each_key,
    "each_pair": fuel.each_pair,
    "each_int": fuel.each_int,
    "int_range": fuel.int_range,
    "convert": convert,
    "decimal": Decimal,
    "add_decimals": arithmetic.DECIMALS.add,
    "subtract_decimals": arithmetic.DECIMALS.subtract,
    "multiply_decimals": arithmetic.DECIMALS.multiply,
    "divide_decimals": arithmetic.DECIMALS.divide,
    "negate_decimal": arithmetic.DECIMALS.minus,
    **{
        name: getattr(arithmetic, name)
        for name in (
            "add_ints",
            "negate_int",
            "subtract_ints",
            "multiply_ints",
            "divide_ints",
            "modulo_ints",
            "power_int",
            "finite",
            "power_float",
            "power_decimal",
            "floor_divide_decimal",
            "modulo_decimal",
            "add_days",
            "subtract_days",
            "days_between",
            "add_lists",
            "add_texts",
            "repeat_list",
            "repeat_text",
            "cut",
        )
    },
}

RUNTIME: dict[str, Any] = {
    "__builtins__": {},
    **{HELPER + name: helper for name, helper in _HELPERS.items()},
    **{BUILTIN + name: function for name, function in IMPLEMENTATIONS.items()},
}


_NO_FUNCTIONS: Mapping[str, Callable[..., Any]] = MappingProxyType({})


def bind(
    code: CodeType,
    inputs: Mapping[str, Any],
    source: Source,
    functions: Mapping[str, Callable[..., Any]] = _NO_FUNCTIONS,
) -> dict[str, Callable[..., Any]]:
    """The entries of a module by name, over these inputs (all, or those that the entries called will need).

    `functions` are called like defs.

    Cheap (some microseconds): done for every record of a data file. An entry raises EvaluationError only.
    """
    names = {**RUNTIME, "__builtins__": {}}
    for name, value in inputs.items():
        names[INPUT + name] = value
    for name, function in functions.items():
        names[DEF + name] = function
    before = len(names)
    exec(code, names)
    made = list(names.items())[before:]
    return {name[len(ENTRY) :]: _entry(function, source) for name, function in made if name.startswith(ENTRY)}


def _entry(function: Callable[..., Any], source: Source) -> Callable[..., Any]:
    def enter(*arguments: Any) -> Any:
        if not FUEL.is_shared:
            FUEL.left = MAX_FUEL
        try:
            return function(*arguments)
        except FAILURES as error:
            failure = located(error, source)
        raise failure

    return enter
