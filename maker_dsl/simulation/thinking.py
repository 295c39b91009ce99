"""How the simulated model thinks aloud, and how it finds the answer in a thought again.

A step with `then format with` asks twice: for a thought, then for its form. The second call may reach another process
than the first, under any prompt: the answer stands in the thought between two lines that are easily found again.
"""

from __future__ import annotations

import re

_BEFORE = "My answer:\n<<<\n"
_AFTER = "\n>>>"
_THINKING = "Let me work this out. I take what is given, do what is asked for with it, and check the outcome once more."
_ANSWER = re.compile(r"My answer:\s*<<<[ \t]*\n(?P<answer>.*?)\n[ \t]*>>>", re.DOTALL)

NO_ANSWER = "none"
"""What a thought without an answer is put into: no reply of any step."""


def think_aloud(answer: str, before: str = _THINKING) -> str:
    """A thought that comes to an answer."""
    return f"{before}\n\n{_BEFORE}{answer}{_AFTER}"


def answer_in(text: str) -> str | None:
    """The last answer that a thought, or a prompt that shows one, comes to."""
    answers: list[str] = _ANSWER.findall(text)
    return answers[-1] if answers else None
