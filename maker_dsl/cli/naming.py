"""Which profiles stand for the names that a task's steps ask for: `--with`, and how that is told as a run starts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import click

from maker_dsl.choosing import named_profiles
from maker_dsl.engine.start import ProviderSetup
from maker_dsl.task import Task

F = TypeVar("F", bound=Callable[..., Any])


def stand_in_option(command: F) -> F:
    """`--with NAME=PROFILE`, repeatable."""
    return click.option(
        "--with",
        "stand_ins",
        multiple=True,
        metavar="NAME=PROFILE",
        help="The profile that stands for a name in the task.",
    )(command)


def read_stand_ins(given: Sequence[str]) -> dict[str, str]:
    """What `--with` says, by name."""
    found: dict[str, str] = {}
    for one in given:
        name, equals, profile = (part.strip() for part in one.partition("="))
        if not (equals and name and profile):
            raise click.UsageError(f"--with takes NAME=PROFILE, not `{one}`.")
        if name in found:
            raise click.UsageError(f"--with {name} is given twice.")
        found[name] = profile
    return found


def named_lines(task: Task, setup: ProviderSetup) -> Iterator[str]:
    """What each name in the task stands for in this run."""
    names = named_profiles(task)
    rehearsed = [name for name in names if name not in setup.named]
    for name, one in setup.named.items():
        if name not in names:
            continue
        asked = str(one.profile.get("asked", name))
        yield f"  `{name}` is {one.provider.name}" + ("" if asked == name else f", profile {asked}")
    if rehearsed:
        listed = ", ".join(f"`{name}`" for name in rehearsed)
        yield f"  {listed}: answered by the simulated model too"
