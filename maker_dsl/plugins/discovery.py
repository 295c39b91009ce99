"""Finds plug-ins among the installed packages, by their entry points. Finding loads nothing of theirs."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points

from maker_dsl.plugins.plugin import GROUP


def plugin_names() -> tuple[str, ...]:
    """The names of all installed plug-ins."""
    return tuple(sorted({entry.name for entry in entry_points(group=GROUP)}))


def entry_point(name: str) -> EntryPoint | None:
    """The entry point of that name; None if no installed package has one."""
    found = entry_points(group=GROUP, name=name)
    return next(iter(found), None)
