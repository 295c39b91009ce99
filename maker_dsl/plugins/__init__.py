"""Checkers from plug-ins: functions of installed packages that rules, flags and references may call.

A package offers a `CheckerPlugin` under the entry point group `maker_dsl.checkers`. Nothing of it is loaded unless
somebody allows the plug-in by name; then it runs in a process of its own, with a time limit on every call.
"""

from __future__ import annotations

from maker_dsl.plugins.plugin import CannotJudge, CheckerPlugin

__all__ = ["CannotJudge", "CheckerPlugin"]
