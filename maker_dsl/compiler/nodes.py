"""One expression as a Python `ast` node: native operators where static types make them safe, helpers elsewhere.

What must be bounded (what grows, or takes time in proportion to a value) goes through a helper that spends fuel. Sums
of ints are native in entries, where the text bounds how many there are, and bounded where they are repeated: in defs,
whose calls may multiply, and in what a comprehension collects.
"""

from __future__ import annotations

import ast
from decimal import Decimal
from itertools import count
from typing import assert_never

from maker_dsl.checker.relations import holds_if_filled, member_type, strip_optional
from maker_dsl.checker.static import AnyNode, Typing, written_int
from maker_dsl.compiler.conversions import plan
from maker_dsl.compiler.names import decimal_name, helper, load
from maker_dsl.compiler.positions import place
from maker_dsl.compiler.sizes import is_written, spending
from maker_dsl.compiler.work import work
from maker_dsl.expressions.runtime import BUILTIN, DEF, INPUT, LOCAL
from maker_dsl.syntax import tree
from maker_dsl.types.type import (
    BoolType,
    DateType,
    DecimalType,
    EnumType,
    FloatType,
    IntType,
    ListType,
    MapType,
    NeverType,
    OptionalType,
    RecordType,
    StringType,
    TupleType,
    Type,
)

_COMPARE: dict[str, type[ast.cmpop]] = {
    "==": ast.Eq,
    "!=": ast.NotEq,
    "<": ast.Lt,
    "<=": ast.LtE,
    ">": ast.Gt,
    ">=": ast.GtE,
    "in": ast.In,
    "not in": ast.NotIn,
}
_NATIVE: dict[str, type[ast.operator]] = {
    "+": ast.Add,
    "-": ast.Sub,
    "*": ast.Mult,
    "/": ast.Div,
    "//": ast.FloorDiv,
    "%": ast.Mod,
}
_INTS = {
    "+": "add_ints",
    "-": "subtract_ints",
    "*": "multiply_ints",
    "//": "divide_ints",
    "%": "modulo_ints",
    "**": "power_int",
}
_DECIMALS = {
    "+": "add_decimals",
    "-": "subtract_decimals",
    "*": "multiply_decimals",
    "/": "divide_decimals",
    "//": "floor_divide_decimal",
    "%": "modulo_decimal",
    "**": "power_decimal",
}
_CONDITION_BUILTINS = frozenset(("all", "any", "count"))


INLINED_DEPTH = 8
"""After so many comprehensions inside one another comes a function of its own.

Python 3.12 and 3.13 inline comprehensions, and crash or refuse where more than about twenty are nested.
"""


class ExpressionCompiler:
    """Compiles the expressions of one function."""

    def __init__(self, typing: Typing, *, bounds_sums: bool = False) -> None:
        self._typing = typing
        self._bounds_sums = bounds_sums
        self._temporaries = count()
        self._depth = 0

    def _type(self, node: AnyNode) -> Type:
        return self._typing.types[id(node)]

    # What a node gives -------------------------------------------------------------------------------------------

    def value(self, node: AnyNode) -> ast.expr:
        """The node's value, converted to the type wanted where it stands."""
        conversion = self._typing.conversions.get(id(node))
        if conversion is None:
            return place(self._natural(node), node.span)
        number = written_int(node)
        if number is not None:
            wanted = strip_optional(conversion.after)
            constant: ast.expr = load(decimal_name(Decimal(number)))
            return place(ast.Constant(float(number)) if isinstance(wanted, FloatType) else constant, node.span)
        how = ast.Constant(plan(conversion.before, conversion.after))
        return place(helper("convert", place(self._natural(node), node.span), how), node.span)

    def condition(self, node: AnyNode) -> ast.expr:
        """Something whose Python truth is whether the condition holds."""
        match node:
            case tree.Binary(operator="and" | "or" as operator, left=left, right=right):
                both = [self.condition(left), self.condition(right)]
                return place(ast.BoolOp(ast.And() if operator == "and" else ast.Or(), both), node.span)
            case tree.Unary(operator="not", operand=operand):
                return place(ast.UnaryOp(ast.Not(), self.condition(operand)), node.span)
            case _:
                value = self.value(node)
                type_ = self._type(node)
                if isinstance(type_, OptionalType) and not holds_if_filled(type_):
                    return place(_is_not_null(value), node.span)
                return value

    def boolean(self, node: AnyNode) -> ast.expr:
        """Whether the condition holds, as a bool."""
        match node:
            case tree.Binary(operator="and" | "or" as operator, left=left, right=right):
                both = [self.boolean(left), self.boolean(right)]
                return place(ast.BoolOp(ast.And() if operator == "and" else ast.Or(), both), node.span)
            case _:
                condition = self.condition(node)
                type_ = self._type(node)
                if isinstance(type_, BoolType) or not holds_if_filled(type_):
                    return condition
                return place(ast.UnaryOp(ast.Not(), ast.UnaryOp(ast.Not(), condition)), node.span)

    def _natural(self, node: AnyNode) -> ast.expr:
        match node:
            case tree.IntLiteral(value=value) | tree.StringLiteral(value=value) | tree.BoolLiteral(value=value):
                return ast.Constant(value)
            case tree.FractionLiteral():
                return self._fraction(node, "")
            case tree.NullLiteral():
                return ast.Constant(None)
            case tree.Name():
                return self._name(node)
            case tree.FieldAccess():
                return self._field(node)
            case tree.Index(object=inner, index=index):
                return ast.Subscript(self.value(inner), self.value(index), ast.Load())
            case tree.Slice(object=inner, start=start, stop=stop, step=step):
                bounds = [ast.Constant(None) if part is None else self.value(part) for part in (start, stop, step)]
                return helper("cut", self.value(inner), *bounds)
            case tree.Unary():
                return self._unary(node)
            case tree.Binary(operator="and" | "or"):
                return self.boolean(node)
            case tree.Binary(operator="??"):
                return self._default(node)
            case tree.Binary():
                return self._arithmetic(node)
            case tree.Compare():
                return self._compare(node)
            case tree.Conditional(then=then, condition=condition, otherwise=otherwise):
                return ast.IfExp(self.condition(condition), self.value(then), self.value(otherwise))
            case tree.ListLiteral(items=items):
                values = [self.value(item) for item in items]
                is_tuple = isinstance(strip_optional(self._type(node)), TupleType)
                return ast.Tuple(values, ast.Load()) if is_tuple else ast.List(values, ast.Load())
            case tree.RecordLiteral():
                return self._record(node)
            case tree.MapLiteral(entries=entries):
                return ast.Dict([self.value(key) for key, _ in entries], [self.value(value) for _, value in entries])
            case tree.ListComprehension() | tree.Generator() | tree.MapComprehension():
                return self._comprehension(node)
            case tree.Call():
                return self._call(node)
            case _:
                assert_never(node)

    def _fraction(self, node: tree.FractionLiteral, sign: str) -> ast.expr:
        text = sign + node.text.replace("_", "")
        if isinstance(self._type(node), DecimalType):
            return load(decimal_name(Decimal(text)))
        return ast.Constant(float(text))

    # Names and fields --------------------------------------------------------------------------------------------

    def _name(self, node: tree.Name) -> ast.expr:
        binding = self._typing.bindings[id(node)]
        match binding.kind:
            case "input":
                return load(INPUT + binding.name)
            case "state":
                return _member(load("state"), binding.name)
            case "let":
                return _member(load("local"), binding.name)
            case "reply":
                return load("reply")
            case "reply field":
                return _member(load("reply"), binding.name)
            case "local":
                return load(LOCAL + binding.name)
            case _:
                assert_never(binding.kind)

    def _field(self, node: tree.FieldAccess) -> ast.expr:
        name = node.name.name
        object_type = self._type(node.object)
        binding = self._typing.bindings.get(id(node.object))
        if (
            binding is not None
            and binding.kind == "reply"
            and isinstance(object_type, RecordType)
            and member_type(object_type.members, name) is None
        ):
            return ast.Attribute(load("raw"), name, ast.Load())
        inner = self.value(node.object)
        if isinstance(object_type, TupleType):
            index = [place.name for place in object_type.places].index(name)
            return ast.Subscript(inner, ast.Constant(index), ast.Load())
        return _member(inner, name)

    # Operators ---------------------------------------------------------------------------------------------------

    def _unary(self, node: tree.Unary) -> ast.expr:
        if node.operator == "not":
            return self.condition(node)
        if node.operator == "-" and isinstance(node.operand, tree.IntLiteral):
            return ast.Constant(-node.operand.value)
        if node.operator == "-" and isinstance(node.operand, tree.FractionLiteral):
            return self._fraction(node.operand, "-")
        operand = self.value(node.operand)
        if node.operator == "+":
            return operand
        if isinstance(self._type(node.operand), DecimalType):
            return helper("negate_decimal", operand)
        if self._is_repeated and isinstance(self._type(node.operand), IntType):
            return helper("negate_int", operand)
        return ast.UnaryOp(ast.USub(), operand)

    def _default(self, node: tree.Binary) -> ast.expr:
        left = self.value(node.left)
        right = self.value(node.right)
        if isinstance(node.left, tree.Name | tree.FieldAccess):
            return ast.IfExp(_is_not_null(left), self.value(node.left), right)
        name = f"t_{next(self._temporaries)}"
        return _let(name, left, ast.IfExp(_is_not_null(load(name)), load(name), right))

    def _arithmetic(self, node: tree.Binary) -> ast.expr:
        left, right = self.value(node.left), self.value(node.right)
        types = self._type(node.left), self._type(node.right)
        operator = node.operator
        match self._type(node):
            case IntType():
                if isinstance(types[0], DateType):
                    return helper("days_between", left, right)
                if operator in _INTS and not self._is_native(node):
                    return helper(_INTS[operator], left, right)
            case FloatType():
                if operator == "**":
                    return helper("power_float", left, right)
                if not (isinstance(types[0], IntType) and isinstance(types[1], IntType)):
                    operation = place(ast.BinOp(left, _NATIVE[operator](), right), node.span)
                    return helper("finite", operation)
            case DecimalType():
                return helper(_DECIMALS[operator], left, right)
            case StringType() | EnumType():
                return helper("add_texts" if operator == "+" else "repeat_text", left, right)
            case ListType():
                return helper("add_lists" if operator == "+" else "repeat_list", left, right)
            case DateType():
                return helper("add_days" if operator == "+" else "subtract_days", left, right)
            case _:
                pass
        return ast.BinOp(left, _NATIVE[operator](), right)

    def _is_native(self, node: tree.Binary) -> bool:
        """Whether Python's operator for ints takes bounded time, and its result can't outgrow the bounds."""
        if node.operator in ("//", "%"):
            is_quick = isinstance(node.right, tree.IntLiteral) and node.right.value < 2**30
            return is_quick and (node.operator == "%" or not self._is_repeated)
        if node.operator not in ("+", "-"):
            return False
        return not self._is_repeated or (self._is_short(node.left) and self._is_short(node.right))

    @property
    def _is_repeated(self) -> bool:
        """Whether what is compiled may be carried out so often that the size of its ints counts."""
        return self._bounds_sums or self._depth > 0

    def _is_short(self, node: tree.Expression) -> bool:
        """Whether an int can only be short, however large others are."""
        match node:
            case tree.IntLiteral():
                return True
            case tree.Binary(operator="%", right=tree.IntLiteral(value=value)):
                return value < 2**30
            case tree.Call():
                return self._implementation(node) == "len"
            case _:
                return False

    def _compare(self, node: tree.Compare) -> ast.expr:
        operands = [node.first, *(right for _, right in node.rest)]
        operators = [operator for operator, _ in node.rest]
        if len(operators) == 1 and operators[0] in ("==", "!="):
            is_null = [isinstance(operand, tree.NullLiteral) for operand in operands]
            if any(is_null):
                value = self.value(operands[0] if is_null[1] else operands[1])
                test: ast.cmpop = ast.Is() if operators[0] == "==" else ast.IsNot()
                return ast.Compare(value, [test], [ast.Constant(None)])
        values = [self._operand(node, operands, index) for index in range(len(operands))]
        return ast.Compare(values[0], [_COMPARE[operator]() for operator in operators], values[1:])

    def _operand(self, node: tree.Compare, operands: list[tree.Expression], index: int) -> ast.expr:
        """An operand of a comparison, which spends fuel for its size where comparing it takes time."""
        operand = operands[index]
        before = node.rest[index - 1][0] if index > 0 else None
        if before in ("in", "not in"):
            return self._container(operand, self._type(operands[index - 1]))
        after = node.rest[index][0] if index < len(node.rest) else None
        value = self.value(operand)
        if after is None or after in ("in", "not in"):
            return value
        if is_written(operand) or is_written(operands[index + 1]):
            return value
        return spending(value, self._typing.type_of(operand))

    def _container(self, node: tree.Expression, item: Type) -> ast.expr:
        """What `in` looks in."""
        if is_written(node):
            return self.value(node)
        if isinstance(node, tree.Call) and isinstance(item, IntType) and self._implementation(node) == "range":
            return place(helper("int_range", *(self.value(argument) for argument in node.arguments)), node.span)
        type_ = self._typing.type_of(node)
        return self.value(node) if isinstance(type_, MapType) else spending(self.value(node), type_)

    # Literals, comprehensions, calls -----------------------------------------------------------------------------

    def _record(self, node: tree.RecordLiteral) -> ast.expr:
        keys: list[ast.expr | None] = []
        values: list[ast.expr] = []
        given: set[str] = set()
        for entry in node.entries:
            if isinstance(entry, tree.Spread):
                keys.append(None)
                type_ = self._type(entry.value)
                given |= {member.name for member in type_.members} if isinstance(type_, RecordType) else set()
            else:
                keys.append(ast.Constant(entry.name.name))
                given.add(entry.name.name)
            values.append(self.value(entry.value))
        type_ = strip_optional(self._type(node))
        for member in type_.members if isinstance(type_, RecordType) else ():
            if member.name not in given:
                keys.append(ast.Constant(member.name))
                values.append(ast.Constant(None))
        return ast.Dict(keys, values)

    def _comprehension(self, node: tree.ListComprehension | tree.Generator | tree.MapComprehension) -> ast.expr:
        self._depth += 1
        made: ast.expr
        match node:
            case tree.MapComprehension(key=key, value=value, clauses=clauses):
                cost = work(key) + work(value)
                made = ast.DictComp(self.value(key), self.value(value), self._clauses(clauses, cost))
            case tree.ListComprehension(item=item, clauses=clauses) | tree.Generator(item=item, clauses=clauses):
                made = ast.ListComp(self.value(item), self._clauses(clauses, work(item)))
        self._depth -= 1
        if self._depth % INLINED_DEPTH != INLINED_DEPTH - 1:
            return made
        nothing = ast.arguments(posonlyargs=[], args=[], kwonlyargs=[], kw_defaults=[], defaults=[])
        return ast.Call(place(ast.Lambda(nothing, place(made, node.span)), node.span), [], [])

    def _clauses(self, clauses: tuple[tree.ForClause, ...], item_work: int) -> list[ast.comprehension]:
        compiled = []
        for index, clause in enumerate(clauses):
            cost = 1 + sum(work(condition) for condition in clause.conditions)
            cost += work(clauses[index + 1].iterable) if index + 1 < len(clauses) else item_work
            names: list[ast.expr] = [ast.Name(LOCAL + name.name, ast.Store()) for name in clause.names]
            target = names[0] if len(names) == 1 else ast.Tuple(names, ast.Store())
            iterable = place(self._iterable(clause, cost), clause.iterable.span)
            conditions = [self.condition(condition) for condition in clause.conditions]
            compiled.append(ast.comprehension(target, iterable, conditions, 0))
        return compiled

    def _iterable(self, clause: tree.ForClause, cost: int) -> ast.expr:
        node = clause.iterable
        if isinstance(node, tree.Call) and self._implementation(node) == "range":
            arguments = [self.value(argument) for argument in node.arguments]
            return helper("each_int", ast.Constant(cost), *arguments)
        value = self.value(node)
        if isinstance(self._typing.type_of(node), MapType):
            return helper("each_key" if len(clause.names) == 1 else "each_pair", value, ast.Constant(cost))
        return helper("each", value, ast.Constant(cost))

    def _implementation(self, node: tree.Call) -> str | None:
        return self._typing.implementations.get(id(node))

    def _call(self, node: tree.Call) -> ast.expr:
        implementation = self._implementation(node)
        if implementation is None:
            name = self._typing.functions[id(node)].name
            return ast.Call(load(DEF + name), [self.value(argument) for argument in node.arguments], [])
        if implementation in _CONDITION_BUILTINS:
            return ast.Call(load(BUILTIN + implementation), [self._conditions(node.arguments[0])], [])
        keywords = [
            ast.keyword(
                keyword.name.name,
                load(DEF + self._typing.functions[id(keyword.value)].name)
                if keyword.name.name == "by"
                else self.value(keyword.value),
            )
            for keyword in node.keywords
        ]
        return ast.Call(load(BUILTIN + implementation), [self.value(arg) for arg in node.arguments], keywords)

    def _conditions(self, node: tree.Expression | tree.Generator) -> ast.expr:
        """The argument of `all`, `any`, `count`: conditions, one after the other, as far as they are needed."""
        if isinstance(node, tree.Generator | tree.ListComprehension):
            clauses = self._clauses(node.clauses, work(node.item))
            return place(ast.GeneratorExp(self.condition(node.item), clauses), node.span)
        value = helper("each", self.value(node), ast.Constant(1))
        type_ = self._type(node)
        item = type_.item if isinstance(type_, ListType) else NeverType()
        if not isinstance(item, OptionalType) or holds_if_filled(item):
            return value
        name = f"t_{next(self._temporaries)}"
        clause = ast.comprehension(ast.Name(name, ast.Store()), value, [], 0)
        return ast.GeneratorExp(_is_not_null(load(name)), [clause])


def _member(inner: ast.expr, name: str) -> ast.expr:
    return ast.Subscript(inner, ast.Constant(name), ast.Load())


def _is_not_null(value: ast.expr) -> ast.expr:
    return ast.Compare(value, [ast.IsNot()], [ast.Constant(None)])


def _let(name: str, value: ast.expr, body: ast.expr) -> ast.expr:
    """The body with a name for a value that is computed once; works inside comprehensions too."""
    arguments = ast.arguments([], [ast.arg(name)], None, [], [], None, [])
    return ast.Call(ast.Lambda(arguments, body), [value], [])
