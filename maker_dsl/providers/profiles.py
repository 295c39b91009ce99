"""From a profile's name to a checked `Profile`, or to diagnostics that point into its TOML text or an `--override`.

Pure but for reading the file. Nothing that looks like a key is ever quoted: it is blanked out of the sources that
diagnostics point into.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import platformdirs

from maker_dsl.bundled import bundled_names, bundled_path
from maker_dsl.diagnostics import Problems, Source, Span, did_you_mean
from maker_dsl.providers.overrides import Layers, apply_override
from maker_dsl.providers.profile import Profile
from maker_dsl.providers.profile_checks import check_profile, validated
from maker_dsl.providers.secrets import blank_secrets
from maker_dsl.providers.toml_places import find_places

_SYNTAX_HELP = {
    "invalid value": 'texts need quotes: `model = "openai/gpt-4.1-mini"`',
    "overwrite": "each key stands once, and each table",
    "expected newline": "each key stands on a line of its own",
    "initial character": "a line is `key = value`, `[table]` or a `# comment`",
}
_AT = re.compile(r"\s*\(at (?:line (\d+), column (\d+)|end of document)\)$")


def profile_directories(working_directory: Path) -> tuple[Path, ...]:
    """Where profiles of the user live, in the order they are looked for; the bundled ones come last."""
    return (working_directory / "providers", platformdirs.user_config_path("maker") / "providers")


def load_profile(
    name_or_path: str,
    overrides: Sequence[str],
    directories: Sequence[Path],
    environ: Mapping[str, str] | None,
    problems: Problems,
    option: str = "--provider",
) -> Profile | None:
    """Find, read and check a profile; None if anything is wrong with it (see `problems`).

    `option` is where somebody named it. `overrides` are texts `key=value`. With `environ` None the key variable is not
    looked for (`plan`, reports).
    """
    before = len(problems)
    layers = read_layers(name_or_path, overrides, directories, problems, option)
    if layers is None:
        return None
    if is_panel(layers.data):
        problems.add(
            "MK617",
            f"`{name_or_path}` lists several models, and here one is wanted",
            layers.key_span(("models",)),
            help="name one of them; only `maker run --provider` takes a profile that lists several",
        )
        return None
    profile = validated(layers.name, layers, problems)
    if profile is not None:
        check_profile(profile, layers, environ, problems)
    return profile if len(problems) == before else None


def read_layers(
    name_or_path: str,
    overrides: Sequence[str],
    directories: Sequence[Path],
    problems: Problems,
    option: str = "--provider",
) -> Layers | None:
    """A profile's text with the overrides laid over it, unchecked; None if it can't be had (see `problems`)."""
    path = _find(name_or_path, directories, problems, option)
    text = None if path is None else _read(path, name_or_path, problems, option)
    if path is None or text is None:
        return None
    source = Source(_shown(path, directories), text)
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        _report_syntax(error, Source(source.name, blank_secrets(text)), problems)
        return None
    layers = Layers(source, data, find_places(text), path.stem)
    before = len(problems)
    for override in overrides:
        apply_override(override, layers, problems)
    layers.blank_secrets()
    return layers if len(problems) == before else None


def is_panel(data: Mapping[str, object]) -> bool:
    """Whether a profile lists several models instead of naming one."""
    return "models" in data


def profile_path(name_or_path: str, directories: Sequence[Path]) -> Path | None:
    """The file of a profile, whether it can be read or not; None where there is none of that name."""
    return _find(name_or_path, directories, Problems(), "")


def profile_names(directories: Sequence[Path]) -> list[str]:
    """The names that `--provider` takes, the user's before the bundled ones, each once."""
    own = [path.stem for directory in directories if directory.is_dir() for path in sorted(directory.glob("*.toml"))]
    return list(dict.fromkeys([*own, *bundled_names("providers")]))


def _find(name: str, directories: Iterable[Path], problems: Problems, option: str) -> Path | None:
    if name.endswith(".toml") or "/" in name or "\\" in name:
        return Path(name)
    directories = tuple(directories)
    for directory in directories:
        path = directory / f"{name}.toml"
        if name and path.is_file():
            return path
    bundled = bundled_path("providers", name)
    if bundled is None:
        names = profile_names(directories)
        listing = "there are: " + ", ".join(f"`{known}`" for known in names)
        near = did_you_mean(name, names)
        problems.add(
            "MK601",
            f"there is no profile `{name}`",
            _whole(option, name),
            help=listing if near is None else f"{near} {listing}",
        )
    return bundled


MAX_PROFILE_BYTES = 1_000_000
"""How large a profile may be."""


def _read(path: Path, name: str, problems: Problems, option: str) -> str | None:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_PROFILE_BYTES + 1)
        if len(data) <= MAX_PROFILE_BYTES:
            return data.decode("utf-8-sig").replace("\r\n", "\n")
        why = f"it is larger than {MAX_PROFILE_BYTES:,} bytes"
    except FileNotFoundError:
        why = "there is no such file"
    except IsADirectoryError:
        why = "it is a directory"
    except UnicodeDecodeError:
        why = "it is not UTF-8 text"
    except OSError as error:
        why = (error.strerror or "it cannot be opened").lower()
    problems.add(
        "MK602",
        f"the profile `{path}` cannot be read: {why}",
        _whole(option, name),
        help="give the path of a TOML file, or the name of a profile without `.toml`",
    )
    return None


def _shown(path: Path, directories: Sequence[Path]) -> str:
    for directory in directories:
        if path.parent == directory:
            return f"{directory.name}/{path.name}"
    bundled = bundled_path("providers", path.stem)
    return f"providers/{path.name}" if bundled == path else str(path)


def _report_syntax(error: tomllib.TOMLDecodeError, source: Source, problems: Problems) -> None:
    message = str(error)
    at = _AT.search(message)
    offset = len(source.text.rstrip())
    if at is not None and at[1] is not None:
        offset = source.offset(int(at[1]), int(at[2]))
    what = message[: at.start()] if at is not None else message
    problems.add(
        "MK603",
        "this is not valid TOML",
        Span(source, offset, min(offset + 1, len(source.text))),
        what[:1].lower() + what[1:],
        help=next((help for words, help in _SYNTAX_HELP.items() if words in what.lower()), None),
    )


def _whole(name: str, text: str) -> Span:
    return Span(Source(name, text), 0, len(text))
