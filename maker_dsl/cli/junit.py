"""Tests as JUnit's XML, in the dialect that CI servers share: a suite for each file, a case for each test."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING
from xml.etree import ElementTree as Xml

from maker_dsl.diagnostics.text import visible

if TYPE_CHECKING:
    from maker_dsl.cli.case_report import Case

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no XML document may hold, not even escaped; a model's reply may."""


def render(cases: Sequence[Case]) -> str:
    """The whole document."""
    root = Xml.Element("testsuites", {"name": "maker test", **_totals(cases)})
    for file in dict.fromkeys(case.file for case in cases):
        own = [case for case in cases if case.file == file]
        suite = Xml.SubElement(root, "testsuite", {"name": _clean(file), "file": _clean(file), **_totals(own)})
        suite.set("skipped", str(sum(case.skipped is not None for case in own)))
        for case in own:
            _add_case(suite, case)
    Xml.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + Xml.tostring(root, encoding="unicode")


def _add_case(suite: Xml.Element, case: Case) -> None:
    named = {"classname": _clean(case.file), "name": _clean(case.name), "time": f"{case.seconds:.3f}"}
    element = Xml.SubElement(suite, "testcase", named)
    place = f"{case.file}:{case.line}:{case.column}"
    for kind, text in (("failure", case.failure), ("error", case.error)):
        if text is not None:
            first_line = text.split("\n", 1)[0]
            Xml.SubElement(element, kind, {"message": _clean(first_line), "type": kind}).text = _clean(
                f"{place}\n{text}"
            )
    if case.skipped is not None:
        Xml.SubElement(element, "skipped", {"message": _clean(case.skipped)})
    if case.details is not None:
        Xml.SubElement(element, "system-out").text = _clean(case.details)


def _totals(cases: Sequence[Case]) -> dict[str, str]:
    return {
        "tests": str(len(cases)),
        "failures": str(sum(case.failure is not None for case in cases)),
        "errors": str(sum(case.error is not None for case in cases)),
        "time": f"{sum(case.seconds for case in cases):.3f}",
    }


def _clean(text: str) -> str:
    return _NOT_XML.sub(lambda found: _shown(found[0]), text)


def _shown(character: str) -> str:
    picture = visible(character)
    return "\N{REPLACEMENT CHARACTER}" if _NOT_XML.match(picture) else picture
