"""Runs to be exported and reported, in memory; and what a page is held against."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any
from xml.etree.ElementTree import Element

import html5lib
from engine_lab import countdown, fate, memory_world, new_run, only_run, right

from maker_dsl.engine.start import ProviderSetup
from maker_dsl.journal import RunDirectory
from maker_dsl.providers.clock import run_virtually
from maker_dsl.providers.port import Price, Request
from maker_dsl.providers.scripted import ScriptedProvider
from maker_dsl.task import Task

_INERT = {
    "html head body meta title style h1 h2 h3 p strong span div code pre table thead tbody tr th td figure figcaption",
    "details summary svg path line rect circle text",
}
INERT = frozenset(" ".join(_INERT).split())
"""The elements that a page may have: none of them runs or loads anything."""


def run_of(
    task: Task | None = None,
    script: Callable[[Request], Any] = right,
    *,
    price: Price | None = None,
    setup: ProviderSetup | None = None,
    **asked: Any,
) -> RunDirectory:
    """A run that has gone as far as it goes."""
    world = memory_world()

    async def work() -> None:
        provider = ScriptedProvider(script, answers_at_once=True, price=price)
        await new_run(task or countdown(5), setup or ProviderSetup(provider), world, **asked).go()

    run_virtually(work())
    return only_run(world.disk)


def parsed(page: str) -> Element:
    """A page as browsers read it; raises html5lib's ParseError for one that is not as the standard has it."""
    root: Element = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(page)
    return root


def elements(root: Element) -> Iterator[tuple[str, Element]]:
    """All elements with their names, without namespaces."""
    for element in root.iter():
        if isinstance(element.tag, str):
            yield re.sub(r"\{.*\}", "", element.tag), element


HOSTILE = (
    "</pre></details><script>window.hacked = 1</script>",
    "<img src=x onerror=window.hacked=1>",
    '"><svg onload=window.hacked=1>',
    "']]><!-- --!> <iframe src='javascript:window.hacked=1'>",
    "&lt;b&gt; &amp; &#60;script&#62;",
    "\x00\x07\x1b[31m\u202eevil\u2066 \ufffe \U0001fffe",
    "```\n# no heading\n````` <script>window.hacked = 1</script>",
    "</style><style>body{display:none}</style><link rel=stylesheet href=//evil.example>",
    "<base href=//evil.example><meta http-equiv=refresh content=0>",
    "<plaintext><template><noscript><textarea></title>",
)


def hostile(request: Request) -> str:
    """Replies that would rather be a page; each step gets there in the end."""
    luck = fate(request.question.index, request.draws)
    return HOSTILE[int(luck * 100) % len(HOSTILE)] if luck < 0.5 else right(request)
