"""A profile's settings in layers: the TOML text, and `--override key=value` texts laid over it.

Each setting remembers where it was written, so that a diagnostic points at the text that has to change.
"""

from __future__ import annotations

import re
import tomllib
from typing import Any

from maker_dsl.diagnostics import Problems, Source, Span
from maker_dsl.providers.secrets import blank_secrets, secret_paths
from maker_dsl.providers.toml_places import Path, Place, find_places

_DOTTED = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*")


class Layers:
    """The merged settings, and for each the text and the place that it came from. `name` is the profile's."""

    def __init__(self, source: Source, data: dict[str, Any], places: dict[Path, Place], name: str = "") -> None:
        self.source = source
        self.name = name
        self.data = data
        self._found: dict[Path, tuple[Source, Place]] = {path: (source, place) for path, place in places.items()}

    def lay_over(self, source: Source, path: Path, value: Any, places: dict[Path, Place]) -> bool:
        """Set one value; False if something on the way is not a table."""
        table = self.data
        for part in path[:-1]:
            table = table.setdefault(part, {})
            if not isinstance(table, dict):
                return False
        table[path[-1]] = value
        for known in [known for known in self._found if known[: len(path)] == path]:
            del self._found[known]
        self._found |= {found: (source, place) for found, place in places.items() if found[: len(path)] == path}
        for length in range(1, len(path)):
            self._found.setdefault(path[:length], (source, places[path]))
        return True

    def key_span(self, path: Path) -> Span:
        """Where the key is written, or the nearest table around it, or the top of the file."""
        source, place = self._nearest(path)
        return Span(source, place.key_start, place.key_end)

    def value_span(self, path: Path) -> Span:
        """Where the value is written."""
        source, place = self._nearest(path)
        return Span(source, place.value_start, place.value_end)

    def is_written(self, path: Path) -> bool:
        """Whether anybody wrote that key."""
        return path in self._found

    def blank_secrets(self) -> None:
        """From here on no source holds anything that looks like a key; places stay as they are."""
        paths = secret_paths(self.data)
        blanked: dict[int, Source] = {}
        for source in {id(source): source for source, _ in self._found.values()}.values():
            text = blank_secrets(source.text)
            for path in paths:
                origin, place = self._found.get(path, (None, None))
                if origin is source and place is not None:
                    start, end = place.value_start, place.value_end
                    text = text[:start] + "*" * (end - start) + text[end:]
            blanked[id(source)] = Source(source.name, text)
        self._found = {path: (blanked[id(source)], place) for path, (source, place) in self._found.items()}
        self.source = blanked.get(id(self.source), Source(self.source.name, blank_secrets(self.source.text)))

    def _nearest(self, path: Path) -> tuple[Source, Place]:
        for length in range(len(path), 0, -1):
            if path[:length] in self._found:
                return self._found[path[:length]]
        return self.source, Place(0, 0, 0, 0)


def apply_override(text: str, layers: Layers, problems: Problems) -> None:
    """Lay `key=value` over the settings. The value is TOML; a text may stand without quotes."""
    key, equals, written = text.partition("=")
    name = key.strip()
    shown = Source("--override", blank_secrets(text))
    if not equals or not _DOTTED.fullmatch(name):
        problems.add(
            "MK610",
            "an override is `key=value`",
            Span(shown, 0, len(text)),
            help="for example `--override temperature=0.2` or `--override limits.concurrency=8`",
        )
        return
    start = len(key) + 1 + len(written) - len(written.lstrip())
    written = written.strip()
    try:
        (data,) = tomllib.loads(f"v = {written}").values()
        places = find_places(f"v = {written}")
    except (tomllib.TOMLDecodeError, ValueError):
        if not written or written[0] in "\"'[{" or "\n" in written:
            problems.add(
                "MK610",
                f"the value of `{name}` cannot be read",
                Span(shown, min(start, len(text)), len(text)),
                help='write it as in TOML: `0.2`, `true`, `"a text"`, `["a", "list"]`; plain words need no quotes',
            )
            return
        data, places = written, {}
    path = tuple(name.split("."))
    key_start = len(key) - len(key.lstrip())
    moved = {
        (*path, *inner[1:]): Place(
            place.key_start + start - 4,
            place.key_end + start - 4,
            place.value_start + start - 4,
            place.value_end + start - 4,
        )
        for inner, place in places.items()
        if inner[0] == "v"
    }
    moved[path] = Place(key_start, key_start + len(name), start, start + len(written))
    if not layers.lay_over(Source("--override", text), path, data, moved):
        problems.add(
            "MK610",
            f"`{name}` is not a key of a table",
            Span(shown, key_start, key_start + len(name)),
            help="a dot leads into a table: `limits.concurrency`",
        )
