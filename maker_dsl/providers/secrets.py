"""Keeps keys out of everything that is shown or stored.

A `Secrets` knows the values that must not be seen and strikes them out of any message; what merely looks like a
credential is struck out too, since servers like to quote the key they refuse.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

STRUCK = "[secret]"
_SHORTEST = 6
"""Shorter values are no keys, and striking them out would garble messages."""

_SECRET_NAME = re.compile(
    r"(?i)(^|[_.-])(api_?-?key|key|token|secret|password|passwd|authorization|credentials?|signature)$"
)
_LOOKS_SECRET = re.compile(
    r"""(?x)
      \b(?:sk|pk|rk|gsk|xai|key|or)-[A-Za-z0-9_\-*.]{8,}      # most providers
    | \bgsk_[A-Za-z0-9]{8,}
    | \bAIza[A-Za-z0-9_\-]{10,}                               # Google
    | \b(?:AKIA|ASIA)[A-Z0-9]{12,}                            # AWS
    | \bya29\.[A-Za-z0-9_\-]+
    | (?i:(?<=bearer\ )|(?<=basic\ ))[A-Za-z0-9_\-.~+/=]{8,}
    | (?i:(?<=[?&]key=)|(?<=api_key=)|(?<=api-key=)|(?<=token=))[^\s&"']{4,}
    """
)
_URL_CREDENTIALS = re.compile(r"(?P<scheme>\b[a-zA-Z][a-zA-Z0-9+.\-]*://)[^/\s@\"']+@")
_URL_QUERY = re.compile(r"[?#].*$", re.DOTALL)


def is_secret_name(name: str) -> bool:
    """Whether a parameter or variable of that name holds a secret (`max_tokens` does not)."""
    return _SECRET_NAME.search(name) is not None


def looks_like_key(text: str) -> bool:
    """Whether a text where a variable's name belongs is more likely a key itself."""
    if _LOOKS_SECRET.search(text):
        return True
    return len(text) >= 20 and not re.fullmatch(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*", text)


def public_url(url: str) -> str:
    """A URL without user name, password, query and fragment."""
    return _URL_QUERY.sub("", _URL_CREDENTIALS.sub(r"\g<scheme>", url))


def public_value(name: str, value: Any) -> Any:
    """A parameter for the journal: secret ones struck out, URLs stripped, tables gone through."""
    if isinstance(value, Mapping):
        headers = name.endswith("headers")
        return {key: STRUCK if headers else public_value(str(key), inner) for key, inner in value.items()}
    if is_secret_name(name):
        return STRUCK
    if isinstance(value, list | tuple):
        return [public_value("", inner) for inner in value]
    if isinstance(value, str):
        return public_url(value) if "://" in value else _LOOKS_SECRET.sub(STRUCK, value)
    return value


def blank_secrets(text: str) -> str:
    """The text with what looks like a secret overwritten by as many asterisks, so that places stay as they are."""
    text = _LOOKS_SECRET.sub(lambda match: "*" * len(match.group()), text)
    return _URL_CREDENTIALS.sub(lambda match: match["scheme"] + "*" * (len(match.group()) - len(match["scheme"])), text)


def secret_paths(value: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Where in a profile's settings secrets stand: under secret names, in headers, and keys instead of variables."""
    if isinstance(value, Mapping):
        headers = bool(path) and path[-1].endswith("headers")
        found = [where for key, inner in value.items() for where in secret_paths(inner, (*path, str(key)))]
        return found + ([(*path, str(key)) for key in value] if headers else [])
    if isinstance(value, list):
        return [where for number, inner in enumerate(value) for where in secret_paths(inner, (*path, str(number)))]
    if not path or not isinstance(value, str):
        return []
    is_key = path[-1] == "api_key_env" and looks_like_key(value)
    return [path] if is_key or is_secret_name(path[-1]) else []


class Secrets:
    """Values that must never be seen."""

    __slots__ = ("_pattern",)

    def __init__(self, values: Iterable[str] = ()) -> None:
        known = sorted({value for value in values if len(value) >= _SHORTEST}, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, known))) if known else None

    @classmethod
    def of(cls, environ: Mapping[str, str], *values: str | None) -> Secrets:
        """All of the environment whose name says that it is secret, and the given values."""
        return cls(
            [value for name, value in environ.items() if is_secret_name(name)]
            + [value for value in values if value is not None]
        )

    def strike(self, text: str) -> str:
        """The text with every secret struck out."""
        if self._pattern is not None:
            text = self._pattern.sub(STRUCK, text)
        return _URL_CREDENTIALS.sub(r"\g<scheme>", _LOOKS_SECRET.sub(STRUCK, text))


def secret_values(value: Any, name: str = "") -> list[str]:
    """The secret values inside a profile's parameters: those of secret names, and all headers."""
    if isinstance(value, Mapping):
        inside = [found for key, inner in value.items() for found in secret_values(inner, str(key))]
        return inside + ([str(v) for v in value.values()] if name.endswith("headers") else [])
    if isinstance(value, str):
        found = re.findall(r"://([^/\s@]+)@", value)
        parts = [part for credentials in found for part in credentials.split(":")]
        return parts + ([value] if is_secret_name(name) else [])
    return []
