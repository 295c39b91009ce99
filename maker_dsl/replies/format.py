"""From a notation to the finished reply format."""

from __future__ import annotations

from maker_dsl.replies.notation import AT_END, Notation, Place
from maker_dsl.task import ReplyFormat


def reply_format(notation: Notation, place: Place = AT_END) -> ReplyFormat:
    """The format of a notation that `check_notation` finds nothing wrong with; types must be concrete."""
    raise NotImplementedError
