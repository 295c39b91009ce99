"""Files that come with the package but lie outside it in the checkout: grammars, tasks, provider profiles.

A wheel carries them in `maker_dsl/_bundled/`; a checkout has them beside the package. The wheel's copy goes first.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

Kind = Literal["grammars", "tasks", "providers"]

_SUFFIXES: dict[Kind, str] = {"grammars": ".lark", "tasks": ".maker", "providers": ".toml"}
_PACKAGE = Path(__file__).resolve().parent


def bundled_path(kind: Kind, name: str) -> Path | None:
    """The bundled file of that name, with or without its suffix; None where there is none.

    A name that is not a plain file name (`../x`, `/etc/x`, an empty one) is never found.
    """
    suffix = _SUFFIXES[kind]
    file_name = name if name.endswith(suffix) else name + suffix
    folder = _folder(kind)
    if folder is None or Path(file_name).name != file_name or file_name == suffix or "\0" in file_name:
        return None
    path = folder / file_name
    return path if path.is_file() else None


def bundled_names(kind: Kind) -> tuple[str, ...]:
    """The names (without suffix) of all bundled files of a kind, sorted."""
    folder = _folder(kind)
    return () if folder is None else tuple(sorted(path.stem for path in folder.glob("*" + _SUFFIXES[kind])))


LANGUAGE_GRAMMAR = "maker"
"""The grammar of the language itself, which lies among those for replies."""


def reply_grammar_path(name: str) -> Path | None:
    """The bundled grammar for replies of that name, with or without its suffix; None where there is none."""
    return None if name.removesuffix(".lark") == LANGUAGE_GRAMMAR else bundled_path("grammars", name)


def reply_grammar_names() -> tuple[str, ...]:
    """The names (without suffix) of all bundled grammars for replies, sorted."""
    return tuple(name for name in bundled_names("grammars") if name != LANGUAGE_GRAMMAR)


def _folder(kind: Kind) -> Path | None:
    for folder in (_PACKAGE / "_bundled" / kind, _PACKAGE.parent / kind):
        if folder.is_dir():
            return folder
    return None
