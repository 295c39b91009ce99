"""The catalogue of builtin functions: signatures, which are also the type rules, and documentation."""

from __future__ import annotations

BUILTIN_NAMES: frozenset[str] = frozenset()
"""Names that a def may not take."""
