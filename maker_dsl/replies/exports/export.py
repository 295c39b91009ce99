"""From a reply's notation to another notation: the driver of this package."""

from __future__ import annotations

from maker_dsl.replies.notation import Notation, Place
from maker_dsl.task import NotExpressible, Target


def export(notation: Notation, place: Place, target: Target) -> str:
    """The form of whole outputs that hold nothing but a reply in its place; raises `NotExpressible`."""
    raise NotExpressible(target, "not yet")
