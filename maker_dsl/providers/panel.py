"""Profiles that list several models, so that these vote together: `models = ["cheap", "strong"]`.

Used where a run's profiles are chosen. A panel says nothing of a model: each of those that it lists is a profile of
its own. A run keeps the models and their order, not the panel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from maker_dsl.diagnostics import Problems, Span, did_you_mean
from maker_dsl.providers.overrides import Layers
from maker_dsl.providers.profile import Profile
from maker_dsl.providers.profiles import is_panel, read_layers

Order = Literal["rotate", "cheapest"]
ORDERS: tuple[str, ...] = get_args(Order)
_KEYS = ("models", "order")


@dataclass(frozen=True, slots=True)
class Panel:
    """Several models that vote, by name or path of their profiles; `place` is where they are listed."""

    models: tuple[str, ...]
    order: Order | None = None
    place: Span | None = None


def load_panel(name_or_path: str, directories: Sequence[Path], problems: Problems) -> Panel | None:
    """The panel of that name; None where the profile is of one model, or where something is wrong (see `problems`)."""
    # What is wrong with a profile that is none is told when it is read as one.
    layers = read_layers(name_or_path, (), directories, Problems())
    if layers is None or not is_panel(layers.data):
        return None
    return _checked(layers, problems)


def _checked(layers: Layers, problems: Problems) -> Panel | None:
    before = len(problems)
    for key in layers.data:
        if key not in _KEYS:
            near = None if key in Profile.model_fields else did_you_mean(key, _KEYS)
            problems.add(
                "MK617",
                f"a profile that lists `models` says nothing of a model itself: `{key}` does not belong here",
                layers.key_span((key,)),
                help=near or f"write `{key}` into the profile of the model that it is for",
            )
    models = layers.data["models"]
    place = layers.value_span(("models",))
    if not isinstance(models, list) or not all(isinstance(one, str) and one.strip() for one in models):
        problems.add(
            "MK617",
            "`models` lists the names of profiles",
            place,
            help='for example `models = ["cheap", "strong"]`, or paths of TOML files',
        )
    elif len(models) < 2:
        problems.add("MK617", "one model is no panel", place, help="list two models or more, or give the one alone")
    order = layers.data.get("order")
    if order is not None and order not in ORDERS:
        problems.add(
            "MK617",
            "`order` has a value that is not known",
            layers.value_span(("order",)),
            'must be `"rotate"` or `"cheapest"`',
            help=did_you_mean(order, ORDERS) if isinstance(order, str) else None,
        )
    if len(problems) > before:
        return None
    return Panel(tuple(one.strip() for one in models), order, place)
