"""Diagnostics: what is wrong with a text that somebody wrote, where, and how to mend it."""

from maker_dsl.diagnostics.diagnostic import Diagnostic, Label, Problems, Severity, did_you_mean
from maker_dsl.diagnostics.source import Position, Source, Span

__all__ = ["Diagnostic", "Label", "Position", "Problems", "Severity", "Source", "Span", "did_you_mean"]
