"""Which providers a run has: its own profile, and those that the task's steps name.

Used by the Python API and the command line. A profile is opened once, however many names stand for it; all of them are
there, and right, before anything is spent.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

from maker_dsl.diagnostics import Diagnostic, Label, Problems, Source, Span, concise, did_you_mean
from maker_dsl.engine.calibration_file import Calibration
from maker_dsl.engine.records import RunRecord
from maker_dsl.engine.settings import NOTHING_PLANNED, Planned, RunOptions
from maker_dsl.engine.start import ProviderSetup
from maker_dsl.engine.voters import candidates_of, with_voters
from maker_dsl.providers.open import open_provider
from maker_dsl.providers.panel import Order, Panel, load_panel
from maker_dsl.providers.profile import Profile
from maker_dsl.providers.profiles import load_profile, profile_directories, profile_names, profile_path
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

    Several names with commas between them, and a profile that lists several, are models that vote together: the first
    is the run's own, which the changes are for. `stand_ins` are profiles by name or path, for the names in the task.
    With a name of None, going on with a run takes the profiles and the changes that the run was started with.
    """

    def __init__(
        self,
        name: str | None,
        overrides: Sequence[str] = (),
        stand_ins: Mapping[str, str] | None = None,
        order: Order | None = None,
    ) -> None:
        self._name = name
        self._order = order
        self._overrides = tuple(overrides)
        self._stand_ins = dict(stand_ins or {})

    @cached_property
    def profile(self) -> Profile:
        """The profile of a new run, checked; raises ProfileRefused."""
        own = self.panel.models[0]
        if self.panel.place is None:
            return read_profile(own, self._overrides)
        return _read_listed(own, self._overrides, self.panel)

    @cached_property
    def panel(self) -> Panel:
        """The models of a new run that vote together, the run's own first; often it is alone. Raises ProfileRefused."""
        return _find_panel(self._name or "simulated", self._order)

    def voters(self, task: Task) -> dict[str, str]:
        """The models of a new run that vote beside its own: what was asked for, by the names that the run has for them.

        They are named as they were asked for, unless the task's steps have that name for something else.
        """
        taken = named_profiles(task)
        return {f"{asked} (voter)" if asked in taken else asked: asked for asked in self.panel.models[1:]}

    def named(self, task: Task) -> dict[str, Profile]:
        """The profiles of a new run that stand for the names in the task, and of its voters; raises ProfileRefused.

        In a rehearsal the simulated model answers for all names but those that somebody has given a stand-in.
        """
        return {name: profile for name, (_, profile) in self._read_all(task).items()}

    def open_alone(self, task: Task, seed: int | None) -> ProviderSetup:
        """The provider that answers everything, one model. Raises ProfileRefused, ProfileError, PermanentError."""
        if len(self.panel.models) > 1:
            problems = Problems()
            help = "name one of them; `maker run` alone lets several vote"
            _add_panel(problems, self._name or "", self.panel.place, "here one model is wanted, not several", help)
            raise ProfileRefused(problems)
        return self._open_own(task, seed)

    def _open_own(self, task: Task, seed: int | None) -> ProviderSetup:
        return _open_setup(self.profile, self.panel.models[0], self._overrides, task, seed)

    def open(self, task: Task, seed: int | None) -> ProviderSetup:
        """The providers for a new run, ready for calls. Raises ProfileRefused, ProfileError, PermanentError."""
        return _with_named(self._open_own(task, seed), self._read_all(task), task, seed, self.voters(task))

    def plan_voters(
        self, task: Task, setup: ProviderSetup, planned: Planned = NOTHING_PLANNED, given: Sequence[Calibration] = ()
    ) -> Planned:
        """A new run's plan with its voters; `given` says what each one's votes weigh. Raises SettingsRefused."""
        return with_voters(planned, candidates_of(setup, tuple(self.voters(task))), given, self.panel.order or "rotate")

    def __call__(self, task: Task, record: RunRecord) -> ProviderSetup:
        """The providers with which to go on with a run. Raises as `open`."""
        kept = {name: one.profile for name, one in record.profiles.items()}
        names = named_profiles(task)
        voters = {name: str(one.get("asked", name)) for name, one in kept.items() if name not in names}
        if self._name is not None:
            if len(self.panel.models) > 1:
                raise ProfileRefused([_voters_settled(self._name)])
            named = self._read_named(task, self._is_rehearsal, kept, voters)
            return _with_named(self.open_alone(task, record.seed), named, task, record.seed, voters)
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
        named = self._read_named(task, profile.provider == "simulated", kept, voters)
        return _with_named(_open_setup(profile, asked, overrides, task, record.seed), named, task, record.seed, voters)

    @property
    def _is_rehearsal(self) -> bool:
        return self.profile.provider == "simulated"

    def _read_all(self, task: Task) -> dict[str, tuple[str, Profile]]:
        return self._read_named(task, self._is_rehearsal, {}, self.voters(task))

    def _read_named(
        self,
        task: Task,
        is_rehearsal: bool,
        kept: Mapping[str, Mapping[str, Any]],
        voters: Mapping[str, str],
    ) -> dict[str, tuple[str, Profile]]:
        """What each name stands for, with what was asked for; all that is wrong is found in one go.

        The names are those in the task and those that the run has for its voters.
        """
        own = named_profiles(task)
        names: dict[str, ProfileName | None] = {**own, **dict.fromkeys(voters)}
        problems: list[Diagnostic] = [
            _no_such_name(name, own, task) for name in self._stand_ins if name not in own and name not in kept
        ]
        read: dict[str, Profile] = {}
        found: dict[str, tuple[str, Profile]] = {}
        for name, place in names.items():
            before = kept.get(name) if name not in self._stand_ins else None
            asked = self._stand_ins.get(name)
            if asked is None and before is not None:
                asked = str(before.get("asked", name))
            if asked is None:
                asked = voters.get(name)
            if asked is None and is_rehearsal:
                continue
            asked = asked or name
            if asked not in read:
                found_wrong = Problems()
                option = "--with" if place is not None or name in self._stand_ins else "--provider"
                profile = load_profile(asked, (), _directories(), os.environ, found_wrong, option)
                if profile is None:
                    is_named_so = asked == name and name not in self._stand_ins
                    if place is None:
                        where = None if kept else self.panel.place
                        problems.extend(_listed(one, where) for one in found_wrong)
                    else:
                        problems.extend(_missing(one, place) if is_named_so else one for one in found_wrong)
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
    main: ProviderSetup,
    named: Mapping[str, tuple[str, Profile]],
    task: Task,
    seed: int | None,
    voters: Collection[str] = (),
) -> ProviderSetup:
    """The run's own setup, with one for each name; a profile that has several names is opened once.

    A simulated voter has chances of its own, so that its errors are not those of another.
    """
    opened: dict[tuple[str, bool], ProviderSetup] = {}
    if not main.profile.get("overrides"):
        opened[str(main.profile.get("asked")), False] = main
    setups: dict[str, ProviderSetup] = {}
    for name, (asked, profile) in named.items():
        is_apart = name in voters and profile.provider == "simulated"
        if (asked, is_apart) not in opened:
            own_seed = seed
            if is_apart:
                run_seed = (main.options.seed or 0) if seed is None else seed
                own_seed = _seed_of_voter(run_seed, profile.simulate.seed or 0, name)
            opened[asked, is_apart] = _open_setup(profile, asked, (), task, own_seed)
        setups[name] = opened[asked, is_apart]
    return ProviderSetup(main.provider, main.limits, main.retry, main.options, main.profile, setups)


def _seed_of_voter(run_seed: int, own_seed: int, name: str) -> int:
    return int.from_bytes(sha256(f"{run_seed}/{own_seed}/{name}".encode()).digest()[:7])


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


def _find_panel(name: str, order: Order | None) -> Panel:
    """The models that somebody asked for, by names with commas or a profile that lists them. Raises ProfileRefused."""
    problems = Problems()
    panel: Panel | None
    if "," in name:
        panel = Panel(tuple(one.strip() for one in name.split(",")))
        if not all(panel.models):
            _add_panel(problems, name, None, "a comma stands between two profiles", "for example `--provider A,B`")
    else:
        panel = load_panel(name, _directories(), problems) or Panel((name,))
    seen: set[object] = set()
    for one in filter(None, panel.models):
        path = profile_path(one, _directories())
        file = one if path is None else path.resolve()
        if file in seen:
            help = "a model that is asked twice has one opinion: list each once"
            _add_panel(problems, name, panel.place, f"`{one}` is listed twice", help)
        seen.add(file)
    if order is not None and len(panel.models) == 1:
        help = "name several: `--provider A,B`"
        _add_panel(problems, name, None, "`--order` says in which order several models are asked", help)
    if problems:
        raise ProfileRefused(problems)
    return replace(panel, order=order or panel.order)


def _add_panel(problems: Problems, name: str, place: Span | None, title: str, help: str) -> None:
    span = Span(Source("--provider", name), 0, len(name)) if place is None else place
    problems.add("MK617", title, span, help=help)


def _read_listed(name: str, overrides: Sequence[str], panel: Panel) -> Profile:
    """The profile of a model that a panel lists; raises ProfileRefused."""
    problems = Problems()
    profile = load_profile(name, overrides, _directories(), os.environ, problems)
    if profile is None:
        raise ProfileRefused(_listed(one, panel.place) for one in problems)
    return profile


def _listed(found: Diagnostic, place: Span | None) -> Diagnostic:
    """A model that can't be had is shown where it is listed; what is wrong inside its profile, there."""
    if found.code == "MK617":
        found = replace(found, help="models that vote are profiles of one model each: list those")
    if place is None or found.code not in ("MK601", "MK602", "MK617"):
        return found
    return replace(found, primary=Label(place, "listed here"))


def _voters_settled(name: str) -> Diagnostic:
    return Diagnostic(
        "MK617",
        "a run goes on with the models that it began with",
        Label(Span(Source("--provider", name), 0, len(name)), "several models"),
        help="leave it out; `--provider ONE` changes the run's own profile, `--with NAME=PROFILE` another voter's",
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
