"""The plug-ins that somebody has allowed by name: what the language half is given as `task.Checkers`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from maker_dsl.plugins.discovery import entry_point, plugin_names
from maker_dsl.plugins.process import PluginProcess
from maker_dsl.task import Value


class PluginMissing(Exception):
    """A plug-in is allowed that no installed package has; `installed` are the names that there are."""

    def __init__(self, name: str) -> None:
        super().__init__(f"no installed package has a plug-in `{name}`")
        self.name = name
        self.installed = plugin_names()


class AllowedCheckers:
    """Implements `task.Checkers` over the plug-ins of these names; raises PluginMissing. Starts them when needed."""

    def __init__(self, names: Iterable[str]) -> None:
        self._processes: dict[str, PluginProcess] = {}
        for name in names:
            if entry_point(name) is None:
                raise PluginMissing(name)
            self._processes[name] = process_of(name)

    def version(self, plugin: str) -> str | None:
        """The version of a plug-in; None where it is not allowed. Raises PluginBroken."""
        process = self._processes.get(plugin)
        return None if process is None else process.offer.version

    def signature(self, plugin: str, name: str) -> tuple[tuple[str, ...], str] | None:
        """The types of a checker's parameters and of its result; None where the plug-in has none of that name."""
        return self._processes[plugin].offer.functions.get(name)

    def names(self, plugin: str) -> tuple[str, ...]:
        """The checkers of a plug-in."""
        return tuple(self._processes[plugin].offer.functions)

    def function(self, plugin: str, name: str) -> Callable[..., Value]:
        """A checker, to be called with values; raises EvaluationError."""
        call = self._processes[plugin].call
        return partial(_call, call, name)


_STARTED: dict[str, PluginProcess] = {}


def process_of(name: str) -> PluginProcess:
    """The process of a plug-in: one for all tasks of this process, since starting it takes a while."""
    if name not in _STARTED:
        _STARTED[name] = PluginProcess(name)
    return _STARTED[name]


def _call(call: Callable[[str, tuple[Value, ...]], Value], name: str, *arguments: Value) -> Value:
    return call(name, arguments)
