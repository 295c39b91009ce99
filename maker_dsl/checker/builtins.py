"""The catalogue of builtin functions: signatures, which are also the type rules, documentation and examples.

The reference in `docs/language/expressions.md` is generated from it; the implementations are in
`expressions.builtins`, under the names given here.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from maker_dsl.checker.signature import Signature, parse_signature


@dataclass(frozen=True)
class Overload:
    """One way to call a builtin, and the run-time function that carries it out."""

    text: str
    implementation: str

    @cached_property
    def signature(self) -> Signature:
        """The signature, parsed when first asked for."""
        return parse_signature(self.text)


@dataclass(frozen=True, slots=True)
class Builtin:
    """A builtin function; `examples` are pairs of an expression and one that gives the same value."""

    name: str
    topic: str
    doc: str
    overloads: tuple[Overload, ...]
    examples: tuple[tuple[str, str], ...]


def _builtin(
    topic: str, doc: str, overloads: dict[str, str] | list[str], examples: dict[str, str]
) -> tuple[str, Builtin]:
    texts = overloads if isinstance(overloads, dict) else {text: text.partition("(")[0] for text in overloads}
    name = next(iter(texts)).partition("(")[0]
    ways = tuple(Overload(text, implementation) for text, implementation in texts.items())
    return name, Builtin(name, topic, doc, ways, tuple(examples.items()))


_LISTS, _CONDITIONS, _MAPS, _TEXT, _NUMBERS, _DATES, _OTHER = (
    "Lists",
    "Conditions over lists",
    "Maps",
    "Text",
    "Numbers",
    "Dates",
    "Any value",
)

BUILTINS: dict[str, Builtin] = dict(
    (
        _builtin(
            _LISTS,
            "How many items, characters or keys.",
            {
                "len(list: list[T]) -> int": "len",
                "len(text: string) -> int": "len",
                "len(map: map[string, T]) -> int": "len",
            },
            {"len([5, 6])": "2", 'len("né")': "2", 'len({ "a": 1 })': "1", "len([])": "0"},
        ),
        _builtin(
            _LISTS,
            "The ints from `start` (0 if left out) up to `stop`, which is not among them, in steps of `step`.",
            {
                "range(stop: int) -> list[int]": "range",
                "range(start: int, stop: int, step?: int) -> list[int]": "range",
            },
            {"range(3)": "[0, 1, 2]", "range(3, 0, -1)": "[3, 2, 1]", "range(2, 2)": "[]"},
        ),
        _builtin(
            _LISTS,
            "The items in ascending order, or descending with `reverse=true`; `by` names a def of what to order by. "
            "Equal items keep their order.",
            {
                "sorted(list: list[O], *, reverse?: bool) -> list[O]": "sorted",
                "sorted(list: list[T], *, by: def(T) -> O, reverse?: bool) -> list[T]": "sorted",
            },
            {"sorted([2, 3, 1])": "[1, 2, 3]", "sorted([2, 3, 1], reverse=true)": "[3, 2, 1]"},
        ),
        _builtin(
            _LISTS,
            "The items, or the characters, from the last to the first.",
            {
                "reversed(list: list[T]) -> list[T]": "reversed_list",
                "reversed(text: string) -> string": "reversed_text",
            },
            {"reversed([1, 2])": "[2, 1]", 'reversed("ab")': '"ba"'},
        ),
        _builtin(
            _LISTS,
            "The items of all the lists, one list after the other.",
            ["flatten(lists: list[list[T]]) -> list[T]"],
            {"flatten([[1], [], [2, 3]])": "[1, 2, 3]"},
        ),
        _builtin(
            _LISTS,
            "The items without repetitions, each where it first stood.",
            ["unique(list: list[T]) -> list[T]"],
            {"unique([2, 1, 2])": "[2, 1]", "unique([[1], [1]])": "[[1]]"},
        ),
        _builtin(
            _LISTS,
            "The items with their indexes, as tuples `[index, item]`.",
            ["enumerate(list: list[T]) -> list[[index: int, item: T]]"],
            {'[i for i, x in enumerate(["a", "b"]) if x == "b"]': "[1]"},
        ),
        _builtin(
            _LISTS,
            "The first items of both lists, the second ones, and so on, as tuples; as long as the shorter list.",
            ["zip(left: list[T], right: list[U]) -> list[[left: T, right: U]]"],
            {"[a * b for a, b in zip([1, 2], [3, 4])]": "[3, 8]", "len(zip([1], []))": "0"},
        ),
        _builtin(
            _LISTS,
            "The first item, or null of an empty list.",
            ["first(list: list[T]) -> T?"],
            {"first([7, 8])": "7", "first([1 for x in [] if true])": "null"},
        ),
        _builtin(
            _LISTS,
            "The last item, or null of an empty list.",
            ["last(list: list[T]) -> T?"],
            {"last([7, 8])": "8"},
        ),
        _builtin(
            _LISTS,
            "Where the item, or the part of a text, first stands; null if nowhere.",
            {
                "index_of(list: list[T], item: T) -> int?": "index_of_item",
                "index_of(text: string, part: string) -> int?": "index_of_text",
            },
            {"index_of([5, 6], 6)": "1", "index_of([5, 6], 7)": "null", 'index_of("abc", "c")': "2"},
        ),
        _builtin(
            _LISTS,
            "The item at the index, or the value under the key; null if there is none.",
            {
                "get(list: list[T], index: int) -> T?": "get_item",
                "get(map: map[string, T], key: string) -> T?": "get_value",
            },
            {
                "get([5, 6], 1)": "6",
                "get([5, 6], 2)": "null",
                'get({ "a": 1 }, "a")': "1",
                'get({ "a": 1 }, "b") ?? 0': "0",
            },
        ),
        _builtin(
            _LISTS,
            "The list with another item at the index, which must be there; or the map with the value under the key.",
            {
                "set_at(list: list[T], index: int, item: T) -> list[T]": "set_item",
                "set_at(map: map[string, T], key: string, value: T) -> map[string, T]": "set_value",
            },
            {"set_at([5, 6], 0, 9)": "[9, 6]", 'set_at({ "a": 1 }, "b", 2)': '{ "a": 1, "b": 2 }'},
        ),
        _builtin(
            _LISTS,
            "The list with the item put before the index, which may be the list's length.",
            ["insert_at(list: list[T], index: int, item: T) -> list[T]"],
            {"insert_at([5, 6], 1, 9)": "[5, 9, 6]", "insert_at([5], 1, 6)": "[5, 6]"},
        ),
        _builtin(
            _LISTS,
            "The list without the item at the index, which must be there; or the map without the key.",
            {
                "remove_at(list: list[T], index: int) -> list[T]": "remove_item",
                "remove_at(map: map[string, T], key: string) -> map[string, T]": "remove_value",
            },
            {"remove_at([5, 6], 0)": "[6]", 'len(remove_at({ "a": 1 }, "a"))': "0"},
        ),
        _builtin(
            _LISTS,
            "The list without any item equal to `item`.",
            ["without(list: list[T], item: T) -> list[T]"],
            {"without([1, 2, 1], 1)": "[2]"},
        ),
        _builtin(
            _CONDITIONS,
            "Whether every condition holds; true for none.",
            ["all(conditions: list[condition]) -> bool"],
            {"all(x > 0 for x in [1, 2])": "true", "all(x > 0 for x in [1, 0])": "false", "all([])": "true"},
        ),
        _builtin(
            _CONDITIONS,
            "Whether some condition holds; false for none.",
            ["any(conditions: list[condition]) -> bool"],
            {"any(x > 1 for x in [1, 2])": "true", "any([])": "false"},
        ),
        _builtin(
            _CONDITIONS,
            "How many of the conditions hold; or how many items are equal to `item`.",
            {
                "count(conditions: list[condition]) -> int": "count",
                "count(list: list[T], item: T) -> int": "count_item",
            },
            {"count(x > 1 for x in [1, 2, 3])": "2", "count([1, 2, 1], 1)": "2"},
        ),
        _builtin(
            _MAPS,
            "The keys in ascending order.",
            ["keys(map: map[string, T]) -> list[string]"],
            {'keys({ "b": 1, "a": 2 })': '["a", "b"]'},
        ),
        _builtin(
            _MAPS,
            "The values in the order of their keys.",
            ["values(map: map[string, T]) -> list[T]"],
            {'values({ "b": 1, "a": 2 })': "[2, 1]"},
        ),
        _builtin(
            _MAPS,
            "The keys with their values, in the order of the keys, as tuples `[key, value]`.",
            ["items(map: map[string, T]) -> list[[key: string, value: T]]"],
            {'[k + string(v) for k, v in items({ "b": 1, "a": 2 })]': '["a2", "b1"]'},
        ),
        _builtin(
            _TEXT,
            "The texts one after the other, with `between` between them.",
            ["join(texts: list[string], between: string) -> string"],
            {'join(["a", "b"], ", ")': '"a, b"'},
        ),
        _builtin(
            _TEXT,
            "The parts of the text between the separators; without one, its words.",
            {
                "split(text: string) -> list[string]": "words",
                "split(text: string, separator: string) -> list[string]": "split",
            },
            {'split("a,,b", ",")': '["a", "", "b"]', 'split(" a  b ")': '["a", "b"]'},
        ),
        _builtin(
            _TEXT,
            "The lines of the text, without their line breaks.",
            ["lines(text: string) -> list[string]"],
            {'lines("a\\nb\\n")': '["a", "b"]'},
        ),
        _builtin(
            _TEXT,
            "The text without white space at its ends.",
            ["trim(text: string) -> string"],
            {'trim(" a b ")': '"a b"'},
        ),
        _builtin(_TEXT, "The text in upper case.", ["upper(text: string) -> string"], {'upper("straße")': '"STRASSE"'}),
        _builtin(_TEXT, "The text in lower case.", ["lower(text: string) -> string"], {'lower("ÀB")': '"àb"'}),
        _builtin(
            _TEXT,
            "Whether the text begins with the part.",
            ["starts_with(text: string, part: string) -> bool"],
            {'starts_with("abc", "ab")': "true"},
        ),
        _builtin(
            _TEXT,
            "Whether the text ends with the part.",
            ["ends_with(text: string, part: string) -> bool"],
            {'ends_with("abc", "ab")': "false"},
        ),
        _builtin(
            _TEXT,
            "The text with every `part` replaced.",
            ["replace(text: string, part: string, by: string) -> string"],
            {'replace("aXbX", "X", "-")': '"a-b-"'},
        ),
        _builtin(
            _TEXT,
            "Whether the whole text matches the regular expression. It is written out, as in `string matching /…/`.",
            ["matches(text: string, pattern: pattern) -> bool"],
            {'matches("ab12", "[a-z]+[0-9]+")': "true", 'matches("ab12", "[a-z]+")': "false"},
        ),
        _builtin(
            _NUMBERS,
            "The sum of the numbers; 0 for none. Floats are summed exactly and rounded once.",
            {
                "sum(numbers: list[int]) -> int": "sum_int",
                "sum(numbers: list[decimal]) -> decimal": "sum_decimal",
                "sum(numbers: list[float]) -> float": "sum_float",
            },
            {"sum([1, 2, 3])": "6", "sum(x * x for x in range(3))": "5", "sum([0.1, 0.2, 0.3])": "0.6"},
        ),
        _builtin(
            _NUMBERS,
            "The smallest item, or the smallest of several values; `by` names a def of what to compare. The first of "
            "equal ones. An empty list has none: an error.",
            {
                "min(list: list[O]) -> O": "min",
                "min(list: list[T], *, by: def(T) -> O) -> T": "min",
                "min(first: O, second: O, *more: O) -> O": "min_of",
            },
            {"min([3, 1, 2])": "1", "min(3, 1)": "1", 'min("b", "a", "c")': '"a"'},
        ),
        _builtin(
            _NUMBERS,
            "The largest item, or the largest of several values; otherwise like `min`.",
            {
                "max(list: list[O]) -> O": "max",
                "max(list: list[T], *, by: def(T) -> O) -> T": "max",
                "max(first: O, second: O, *more: O) -> O": "max_of",
            },
            {"max([3, 1, 2])": "3", "max(3, 1)": "3"},
        ),
        _builtin(_NUMBERS, "The number without its sign.", ["abs(number: N) -> N"], {"abs(-3)": "3"}),
        _builtin(
            _NUMBERS,
            "The nearest int, or the nearest number with so many places; halves go to the even neighbour.",
            {
                "round(number: decimal) -> int": "round_decimal_to_int",
                "round(number: float) -> int": "round_to_int",
                "round(number: decimal, places: int) -> decimal": "round_decimal",
                "round(number: float, places: int) -> float": "round_float",
            },
            {"round(2.5)": "2", "round(2.6)": "3", "round(decimal(2.665), 2)": "decimal(2.66)"},
        ),
        _builtin(
            _NUMBERS,
            "The largest int that is not greater.",
            {"floor(number: decimal) -> int": "floor", "floor(number: float) -> int": "floor"},
            {"floor(-1.5)": "-2"},
        ),
        _builtin(
            _NUMBERS,
            "The smallest int that is not less.",
            {"ceil(number: decimal) -> int": "ceil", "ceil(number: float) -> int": "ceil"},
            {"ceil(-1.5)": "-1"},
        ),
        _builtin(
            _NUMBERS,
            "The int that a text writes, such as `-12`; null if it writes none.",
            ["int(text: string) -> int?"],
            {'int("-12")': "-12", 'int("1.0")': "null", 'int("007")': "null"},
        ),
        _builtin(
            _NUMBERS,
            "The number as a decimal, exactly as it is written; null of a text that writes no number.",
            {
                "decimal(number: decimal) -> decimal": "to_decimal",
                "decimal(number: float) -> decimal": "float_to_decimal",
                "decimal(text: string) -> decimal?": "text_to_decimal",
            },
            {'decimal("1.50") == decimal(1.5)': "true", 'decimal("x")': "null"},
        ),
        _builtin(
            _NUMBERS,
            "The nearest float; null of a text that writes no number.",
            {
                "float(number: float) -> float": "to_float",
                "float(number: decimal) -> float": "to_float",
                "float(text: string) -> float?": "text_to_float",
            },
            {'float("1.5")': "1.5", "float(2)": "2.0"},
        ),
        _builtin(
            _DATES,
            "The date that a text writes (`2026-11-23`), or the date of a year, month and day; null if there is none. "
            "Of a date that is written out it is known to be there.",
            {
                "date(text: string) -> date?": "text_to_date",
                "date(year: int, month: int, day: int) -> date?": "make_date",
            },
            {
                'date("2026-11-23") == date(2026, 11, 23)': "true",
                "date(2026, 2, 29 + 1)": "null",
            },
        ),
        _builtin(_DATES, "The year of the date.", ["year(date: date) -> int"], {"year(a_date)": "2026"}),
        _builtin(_DATES, "The month of the date, 1 to 12.", ["month(date: date) -> int"], {"month(a_date)": "11"}),
        _builtin(_DATES, "The day of the month, 1 to 31.", ["day(date: date) -> int"], {"day(a_date)": "23"}),
        _builtin(
            _DATES,
            "The day of the week: Monday is 1, Sunday 7.",
            ["weekday(date: date) -> int"],
            {"weekday(a_date)": "1"},
        ),
        _builtin(
            _OTHER,
            "The value as a text: a string as it is, anything else as `json` writes it, dates without quotes.",
            ["string(value: value) -> string"],
            {'string(12) + "!"': '"12!"', "string([1, 2])": '"[1,2]"', "string(null)": '"null"'},
        ),
        _builtin(
            _OTHER,
            "The value as canonical JSON: keys sorted, no white space, one spelling for each number.",
            ["json(value: value) -> string"],
            {'json({ b: "x", a: 1.5 })': '"{\\"a\\":1.5,\\"b\\":\\"x\\"}"'},
        ),
    )
)

BUILTIN_NAMES: frozenset[str] = frozenset(BUILTINS)
"""Names that a def may not take."""
