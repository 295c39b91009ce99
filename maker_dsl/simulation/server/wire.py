"""What the wire formats have in common: what a call asks, what it gets, and how a body is read.

Each format is a file beside this one with one class; `application` mounts them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from maker_dsl.providers.port import Reply
from maker_dsl.task import Prompt

Body = dict[str, Any]
"""A JSON object of the wire."""

MOST_REPLIES = 128


class BadCall(Exception):
    """A call that a real provider would refuse as malformed; the message goes to the client."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A call in terms of this package: the prompt, how many replies, how long at most."""

    model: str
    prompt: Prompt
    replies: int = 1
    max_tokens: int | None = None
    grammar: str | None = None
    """What the reply is to be held to, in whatever notation."""


@dataclass(frozen=True, slots=True)
class Given:
    """What a call brings. `number` counts the server's calls, for the ids of the formats that have one."""

    number: int
    replies: tuple[Reply, ...]
    input_tokens: int
    output_tokens: int


class WireFormat(Protocol):
    """One provider's way to put it. `model` is the one in the address, if that is where the format has it."""

    @property
    def name(self) -> str:
        """The format's name in the log and the counters."""
        ...

    @property
    def paths(self) -> tuple[str, ...]:
        """The addresses of the calls, as aiohttp routes."""
        ...

    def read(self, body: Mapping[str, Any], model: str | None) -> Ask:
        """The call that a body makes; raises BadCall."""
        ...

    def write(self, ask: Ask, given: Given) -> Body:
        """The body of a successful answer."""
        ...

    def write_error(self, status: int, message: str) -> Body:
        """The body of an answer with an error status."""
        ...


def read_text(content: object, where: str) -> str:
    """The text of a message's content: a string, or a list of text parts."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        texts = [part.get("text") if isinstance(part, dict) else None for part in content]
        if all(isinstance(text, str) for text in texts):
            return "".join(text for text in texts if text is not None)
    raise BadCall(f"{where}: expected text; the simulated model reads nothing else")


def read_count(body: Mapping[str, Any], name: str, most: int | None = None) -> int | None:
    """A positive whole number of the body; None where it is absent or null."""
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 1 or (most is not None and value > most):
        limit = "" if most is None else f" up to {most}"
        raise BadCall(f"{name}: expected a whole number from 1{limit}")
    return value


def read_object(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """An object of the body; empty where it is absent."""
    value = body.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise BadCall(f"{name}: expected an object")
    return value


def read_messages(body: Mapping[str, Any]) -> Prompt:
    """The prompt of a list of messages with roles, the system's among them."""
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages or not all(isinstance(message, dict) for message in messages):
        raise BadCall("messages: expected a list of messages")
    system: list[str] = []
    other: list[str] = []
    for number, message in enumerate(messages):
        text = read_text(message.get("content"), f"messages[{number}].content")
        (system if message.get("role") in ("system", "developer") else other).append(text)
    return Prompt("\n\n".join(system) if system else None, "\n\n".join(other))


def refuse_streaming(body: Mapping[str, Any]) -> None:
    """Raise BadCall where a body asks for a stream."""
    if body.get("stream"):
        raise BadCall("stream: the simulated model does not stream; leave it out or set it to false")
