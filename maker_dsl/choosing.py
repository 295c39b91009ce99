"""Which providers a run has: its own profile, and those that the task's steps name.

Used by the Python API and the command line. A profile is opened once, however many names stand for it; all of them are
there, and right, before anything is spent.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from maker_dsl.diagnostics import Diagnostic, Label, Problems, Source, Span, concise, did_you_mean
from maker_dsl.engine.records import RunRecord
from maker_dsl.engine.settings import RunOptions
from maker_dsl.engine.start import ProviderSetup
from maker_dsl.providers.open import open_provider
from maker_dsl.providers.profile import Profile
from maker_dsl.providers.profiles import load_profile, profile_directories, profile_names
from maker_dsl.providers.secrets import STRUCK, public_value
from maker_dsl.task import ProfileName, Task


class Refused(Exception):
    """Something that somebody wrote is wrong; nothing was started."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__("\n".join(concise.render(one).rstrip() for one in self.diagnostics))


class ProfileRefused(Refused):
    """The profile is wrong."""


def read_profile(name: str, overrides: Sequence[str] = (), *, needs_key: bool = True) -> Profile:
    """A checked profile; raises ProfileRefused. Without `needs_key` the variable that holds the key may be missing."""
    problems = Problems()
    environ = os.environ if needs_key else None
    profile = load_profile(name, overrides, _directories(), environ, problems)
    if profile is None:
        raise ProfileRefused(problems)
    return profile


def named_profiles(task: Task) -> dict[str, ProfileName]:
    """The profiles that the steps of a task name, and those of the tasks that it may run; each where it is first."""
    found: dict[str, ProfileName] = {}
    for outline in task.outlines:
        for step in outline.steps:
            for one in step.profiles:
                found.setdefault(one.name, one)
    return found


class ProviderChoice:
    """Which providers a run has: a profile by name or path with changes to single keys, and what names stand for.

    `stand_ins` are profiles by name or path, for the names in the task. With a name of None, going on with a run takes
    the profiles and the changes that the run was started with.
    """

    def __init__(
        self, name: str | None, overrides: Sequence[str] = (), stand_ins: Mapping[str, str] | None = None
    ) -> None:
        self._name = name
        self._overrides = tuple(overrides)
        self._stand_ins = dict(stand_ins or {})

    @cached_property
    def profile(self) -> Profile:
        """The profile of a new run, checked; raises ProfileRefused."""
        return read_profile(self._name or "simulated", self._overrides)

    def named(self, task: Task) -> dict[str, Profile]:
        """The profiles of a new run that stand for the names in the task; raises ProfileRefused.

        In a rehearsal the simulated model answers for all names but those that somebody has given a stand-in.
        """
        return {name: profile for name, (_, profile) in self._read_named(task, self._is_rehearsal, {}).items()}

    def open_alone(self, task: Task, seed: int | None) -> ProviderSetup:
        """The provider that answers everything. Raises ProfileRefused, ProfileError, PermanentError."""
        return _open_setup(self.profile, self._name or "simulated", self._overrides, task, seed)

    def open(self, task: Task, seed: int | None) -> ProviderSetup:
        """The providers for a new run, ready for calls. Raises ProfileRefused, ProfileError, PermanentError."""
        named = self._read_named(task, self._is_rehearsal, {})
        return _with_named(self.open_alone(task, seed), named, task, seed)

    def __call__(self, task: Task, record: RunRecord) -> ProviderSetup:
        """The providers with which to go on with a run. Raises as `open`."""
        kept = {name: one.profile for name, one in record.profiles.items()}
        if self._name is not None:
            named = self._read_named(task, self._is_rehearsal, kept)
            return _with_named(self.open_alone(task, record.seed), named, task, record.seed)
        given = {_key_of(override) for override in self._overrides}
        before = [one for one in record.profile.get("overrides", []) if _key_of(one) not in given]
        secret = [one for one in before if STRUCK in one]
        if secret:
            raise ProfileRefused(map(_not_kept, secret))
        asked = str(record.profile.get("asked", "simulated"))
        overrides = (*before, *self._overrides)
        profile = read_profile(asked, overrides)
        changed = _changed_keys(profile, record.profile, given)
        if changed:
            raise ProfileRefused([_changed(asked, changed, "the run's provider", f"--provider {asked}")])
        named = self._read_named(task, profile.provider == "simulated", kept)
        return _with_named(_open_setup(profile, asked, overrides, task, record.seed), named, task, record.seed)

    @property
    def _is_rehearsal(self) -> bool:
        return self.profile.provider == "simulated"

    def _read_named(
        self, task: Task, is_rehearsal: bool, kept: Mapping[str, Mapping[str, Any]]
    ) -> dict[str, tuple[str, Profile]]:
        """What each name in the task stands for, with what was asked for; all that is wrong is found in one go."""
        names = named_profiles(task)
        problems: list[Diagnostic] = [_no_such_name(name, names, task) for name in self._stand_ins if name not in names]
        read: dict[str, Profile] = {}
        found: dict[str, tuple[str, Profile]] = {}
        for name, place in names.items():
            before = kept.get(name) if name not in self._stand_ins else None
            asked = self._stand_ins.get(name)
            if asked is None and before is not None:
                asked = str(before.get("asked", name))
            if asked is None and is_rehearsal:
                continue
            asked = asked or name
            if asked not in read:
                own = Problems()
                profile = load_profile(asked, (), _directories(), os.environ, own, "--with")
                if profile is None:
                    is_named_so = asked == name and name not in self._stand_ins
                    problems.extend(_missing(one, place) if is_named_so else one for one in own)
                    continue
                read[asked] = profile
            found[name] = asked, read[asked]
            changed = [] if before is None else _changed_keys(read[asked], before, set())
            if changed:
                problems.append(_changed(asked, changed, f"the run's profile `{name}`", f"--with {name}={asked}"))
        if problems:
            raise ProfileRefused(problems)
        return found


def _with_named(
    main: ProviderSetup, named: Mapping[str, tuple[str, Profile]], task: Task, seed: int | None
) -> ProviderSetup:
    """The run's own setup, with one for each name; a profile that has several names is opened once."""
    opened: dict[str, ProviderSetup] = {}
    if not main.profile.get("overrides"):
        opened[str(main.profile.get("asked"))] = main
    setups: dict[str, ProviderSetup] = {}
    for name, (asked, profile) in named.items():
        if asked not in opened:
            opened[asked] = _open_setup(profile, asked, (), task, seed)
        setups[name] = opened[asked]
    return ProviderSetup(main.provider, main.limits, main.retry, main.options, main.profile, setups)


def _open_setup(profile: Profile, name: str, overrides: Sequence[str], task: Task, seed: int | None) -> ProviderSetup:
    own_seed = profile.simulate.seed or 0
    said = profile.model_fields_set
    number = _number_of(profile.temperature) if "temperature" in said else None
    options = RunOptions(
        ahead_by=profile.vote.ahead_by,
        max_samples=profile.vote.max_samples,
        first_temperature=_number_of(profile.first_temperature),
        temperature=number,
        max_tokens=profile.max_tokens,
        seed=own_seed,
    )
    return ProviderSetup(
        open_provider(profile, task, own_seed if seed is None else seed),
        profile.limits_of_calls,
        profile.retry_policy,
        options,
        {"asked": name, "overrides": [_public_override(one) for one in overrides], **profile.public()},
    )


def _directories() -> tuple[Path, ...]:
    return profile_directories(Path.cwd())


def _changed_keys(profile: Profile, before: Mapping[str, Any], given: set[str]) -> list[str]:
    """The keys that a profile has set otherwise than before, those left out that somebody changes now.

    A key that the record lacks came with a later version of maker: it changes something where it is set.
    """
    now, then = _flat(profile.public()), _flat(before)
    unset = _flat(Profile(name=profile.name).public())
    keys = [key for key in {**then, **now} if key in then or now.get(key) != unset.get(key)]
    changed = [key for key in keys if now.get(key) != then.get(key) and key not in given]
    return [key for key in changed if key not in ("asked", "overrides")]


def _flat(table: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """A table's settings by their dotted keys."""
    flat: dict[str, Any] = {}
    for key, value in table.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return flat


def _number_of(temperature: float | str | None) -> float | None:
    """The temperature to ask for; one of `default` is dropped by the adapter."""
    return None if temperature is None or isinstance(temperature, str) else temperature


def _key_of(override: str) -> str:
    return override.partition("=")[0].strip()


def _public_override(override: str) -> str:
    """The change as a run may keep it: its value struck out where any of it is secret."""
    key, _, value = override.partition("=")
    *tables, name = key.strip().split(".")
    is_secret = any(table.endswith("headers") for table in tables) or public_value(name, value) != value
    return f"{key}={STRUCK if is_secret else value}"


def _not_kept(override: str) -> Diagnostic:
    source = Source("--override", override)
    return Diagnostic(
        "MK680",
        f"the run was started with a secret `{_key_of(override)}`, which it did not keep",
        Label(Span(source, 0, len(override))),
        help=f"give it again: `--override {_key_of(override)}=…`, better as a variable that `api_key_env` names",
    )


def _changed(name: str, keys: Sequence[str], what: str, option: str) -> Diagnostic:
    source = Source(what, name)
    listed = ", ".join(f"`{key}`" for key in keys)
    return Diagnostic(
        "MK681",
        "the profile has changed since the run started",
        Label(Span(source, 0, len(name)), f"other than it was: {listed}"),
        help=f"put it back, or say that the run is to go on with it as it is now: `{option}`",
    )


def _missing(found: Diagnostic, name: ProfileName) -> Diagnostic:
    """A profile that can't be found is one that the task asks for; what is wrong inside it is there to be mended."""
    if found.code != "MK601":
        return found
    return Diagnostic(
        "MK614",
        f"the task asks for a profile `{name.name}`, and there is none of that name",
        Label(name.place, "named here"),
        help=f"say which one it stands for: `--with {name.name}=PROFILE`, or write `providers/{name.name}.toml`; "
        + "there are: "
        + ", ".join(f"`{known}`" for known in profile_names(_directories())),
    )


def _no_such_name(name: str, names: Mapping[str, ProfileName], task: Task) -> Diagnostic:
    source = Source("--with", name)
    listed = "its steps name " + ", ".join(f"`{one}`" for one in names)
    help = did_you_mean(name, list(names), listed) if names else "leave `--with` out: `--provider` says who answers"
    return Diagnostic(
        "MK615", f"no step of `{task.name}` asks for a profile `{name}`", Label(Span(source, 0, len(name))), help=help
    )
