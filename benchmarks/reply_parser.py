"""What reading a reply costs: `python benchmarks/reply_parser.py`.

The 20-disk Hanoi reply, read by the fast reader and by the grammar; a refused one; a state validated and written.
Processor time, best of several rounds, in microseconds.
"""

from __future__ import annotations

import time
import timeit
from collections.abc import Callable

from maker_dsl.replies.format import GeneratedFormat, reply_format
from maker_dsl.replies.notation import FormatText, HoleSpec, JsonObject
from maker_dsl.types.codec import codec
from maker_dsl.types.type import IntType, ListType, Member, OptionalType, RecordType, TupleType

DISK = IntType(1, 20, alias="Disk")
PEG = IntType(0, 2, alias="Peg")
PEGS = ListType(ListType(DISK), 3, 3, alias="Pegs")
MOVE = TupleType((Member("disk", DISK), Member("source", PEG), Member("target", PEG)), alias="Move")
STATE = RecordType((Member("pegs", PEGS), Member("last", OptionalType(MOVE))))

VALUE = {"move": (1, 0, 2), "pegs": [list(range(20, 7, -1)), [7, 6, 5, 4], [3, 2, 1]]}


def measure(what: str, run: Callable[[], object], number: int = 5_000) -> None:
    """Print the best time of one run."""
    best = min(timeit.repeat(run, number=number, repeat=7, timer=time.process_time)) / number
    print(f"{what:58} {best * 1e6:8.2f} µs")


def main() -> None:
    """Measure and print."""
    text = reply_format(FormatText(("move = ", HoleSpec("move", MOVE), "\nnext_state = ", HoleSpec("pegs", PEGS))))
    json = reply_format(JsonObject(text.type))
    assert isinstance(text, GeneratedFormat)
    reply, json_reply = text.render(VALUE), json.render(VALUE)
    reasoned = "The smallest disk moves every other time.\n" * 20 + "```\n" + reply + "\n```\n"
    refused = reply.replace("7, 6", "7, x")
    measure("format text: read", lambda: text.read(reply))
    measure("format text: read after 800 characters of reasoning", lambda: text.read(reasoned))
    measure("json: read", lambda: json.read(json_reply))
    measure(
        "format text: read by the grammar (meaning, explanation)",
        lambda: text.read_by_grammar(reply, 0, len(reply)),
        200,
    )
    measure("format text: refuse and explain", lambda: text.read(refused), 200)
    measure("format text: render", lambda: text.render(VALUE))
    state = codec(STATE)
    value = state.validate({"pegs": VALUE["pegs"], "last": VALUE["move"]})
    measure("state: validate", lambda: state.validate(value))
    measure("state: canonical text", lambda: state.dump(value))
    measure("state: load", lambda: state.load(state.dump(value)))


if __name__ == "__main__":
    main()
