"""The pages that `maker explain MKnnn` shows: what a code means, an example that is wrong and one that is right."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import resources

_FORM = re.compile(
    r"# (?P<code>MK\d{3}): (?P<title>[^\n]+)\n+(?P<body>.*?)\n+"
    r"## Wrong\n+```(?P<language>\w+)\n(?P<wrong>.*?)```\n+"
    r"## Right\n+```(?P=language)\n(?P<right>.*?)```\s*",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Page:
    """One code explained; `language` is that of both examples (`maker`, `lark`, `toml`, `sh`), `text` the page."""

    code: str
    title: str
    body: str
    language: str
    wrong: str
    right: str
    text: str


def page(code: str) -> Page | None:
    """The page of a code, upper or lower case; None for an unknown one. Raises ValueError for a page out of form."""
    if not re.fullmatch(r"MK\d{3}", code.upper()):
        return None
    file = resources.files(__package__).joinpath("pages", f"{code.upper()}.md")
    if not file.is_file():
        return None
    text = file.read_text(encoding="utf-8").replace("\r\n", "\n")
    match = _FORM.fullmatch(text)
    if match is None or match["code"] != code.upper():
        raise ValueError(f"{code.upper()}.md is not of the form of an explain page")
    return Page(match["code"], match["title"], match["body"], match["language"], match["wrong"], match["right"], text)


def codes() -> tuple[str, ...]:
    """All codes that have a page, sorted."""
    folder = resources.files(__package__).joinpath("pages")
    if not folder.is_dir():
        return ()
    return tuple(
        sorted(entry.name.removesuffix(".md") for entry in folder.iterdir() if re.fullmatch(r"MK\d{3}\.md", entry.name))
    )
