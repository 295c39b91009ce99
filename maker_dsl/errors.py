"""Our own mistakes, as distinct from those of authors, models and the world."""

from __future__ import annotations


class InternalError(Exception):
    """maker itself is wrong. The command line asks for a report and exits with 70."""
