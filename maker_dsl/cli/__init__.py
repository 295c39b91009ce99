"""The command line: `maker`. Its contract (commands, options, exit codes, JSON) is fixed in docs/command-line.md."""

from maker_dsl.cli.app import main

__all__ = ["main"]
