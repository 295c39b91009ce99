"""Says in the language's words, and with the place in the `.maker` file, what went wrong in compiled code."""

from __future__ import annotations

import decimal
from itertools import islice
from types import TracebackType

from maker_dsl.diagnostics import Source, Span
from maker_dsl.expressions.errors import CheckerTimeout, EvaluationError

FAILURES = (EvaluationError, ArithmeticError, LookupError, RecursionError, MemoryError)
"""What compiled expressions may raise; anything else is a mistake of ours."""


def located(error: BaseException, source: Source) -> EvaluationError:
    """The error in the language's words; its span is the innermost expression of `source` that was at work."""
    if isinstance(error, EvaluationError) and error.span is not None:
        return error
    span = _innermost(error.__traceback__, source)
    message = _message(error)
    if span is not None and "\n" not in span.text and len(span.text) <= 60:
        message = f"`{span.text}`: {message}"
    made = CheckerTimeout if isinstance(error, CheckerTimeout) else EvaluationError
    return made(message, span)


def _message(error: BaseException) -> str:
    match error:
        case EvaluationError():
            return str(error)
        case KeyError(args=(str() as key,)):
            return f'the map has no key "{key if len(key) <= 40 else key[:40] + "…"}"'
        case LookupError():
            return "there is no item at this index"
        case ZeroDivisionError() | decimal.DivisionByZero():
            return "division by zero"
        case decimal.Overflow():
            return "this number is too large for a decimal"
        case decimal.InvalidOperation():
            if any(issubclass(signal, ZeroDivisionError) for signal in _signals(error)):
                return "division by zero"
            return "this decimal has too many digits"
        case OverflowError():
            return "this number is too large for a float"
        case RecursionError():
            return "defs call one another too deeply"
        case MemoryError():
            return "there is not enough memory for this value"
        case _:
            return "this has no value"


def _signals(error: BaseException) -> tuple[type, ...]:
    """The conditions behind a decimal's InvalidOperation, which its argument lists."""
    found = error.args[0] if error.args else ()
    return tuple(signal for signal in found if isinstance(signal, type)) if isinstance(found, list | tuple) else ()


def _innermost(traceback: TracebackType | None, source: Source) -> Span | None:
    span = None
    while traceback is not None:
        code = traceback.tb_frame.f_code
        if code.co_filename == source.name:
            position = next(islice(code.co_positions(), traceback.tb_lasti // 2, None), None)
            span = _span(position, source) or span
        traceback = traceback.tb_next
    return span


def _span(position: tuple[int | None, int | None, int | None, int | None] | None, source: Source) -> Span | None:
    if position is None:
        return None
    line, end_line, column, end_column = position
    if line is None or end_line is None or column is None or end_column is None:
        return None
    return Span(source, _offset(source, line, column), _offset(source, end_line, end_column))


def _offset(source: Source, line: int, column: int) -> int:
    """The character offset of a line and a column in UTF-8 bytes, as Python counts them."""
    before = source.line(line).encode("utf-8", "surrogatepass")[:column].decode("utf-8", "ignore")
    return source.offset(line, 1) + len(before)
