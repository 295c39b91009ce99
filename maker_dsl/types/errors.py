"""How a value fails to be of a type."""

from __future__ import annotations


class ValueRefused(Exception):
    """A value is not of the type asked for.

    `path` leads to the place (`pegs[0][2]`; empty for the value itself); the message, which str() gives with the path
    before it, speaks in the words of the language: "expected an int in 0..2, found 7".
    """

    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"{path}: {message}" if path else message)
        self.path = path
        self.message = message
