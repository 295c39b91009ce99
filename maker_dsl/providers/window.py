"""How much a profile's model takes in and puts out, as far as anybody knows, without asking or loading LiteLLM.

The profile says it (`context_tokens`), or the model data that comes with LiteLLM: one JSON file, read as it lies in
LiteLLM's folder, since importing LiteLLM takes seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import orjson

from maker_dsl.providers.profile import Profile

_MODEL_DATA = "model_prices_and_context_window_backup.json"


@dataclass(frozen=True, slots=True)
class Window:
    """Tokens; None where nobody knows. `context` is for the prompt and the reply together."""

    context: int | None = None
    output: int | None = None


def window_of(profile: Profile) -> Window:
    """The window of the profile's model: what the profile says before what LiteLLM's data has."""
    known = Window() if profile.provider == "simulated" or profile.model is None else _known(profile.model)
    return known if profile.context_tokens is None else Window(profile.context_tokens, known.output)


def _known(model: str) -> Window:
    """What LiteLLM's data says of a model, under its whole name or under that behind the provider's."""
    data = _model_data()
    provider, _, name = model.partition("/")
    facts = data.get(model)
    if facts is None and name:
        facts = data.get(name)
        if facts is not None and not str(facts.get("litellm_provider", "")).startswith(provider):
            facts = None
    if not isinstance(facts, Mapping):
        return Window()
    return Window(_count(facts.get("max_input_tokens")), _count(facts.get("max_output_tokens")))


@cache
def _model_data() -> dict[str, Any]:
    """LiteLLM's model data; empty where there is none that can be read."""
    spec = find_spec("litellm")
    if spec is None or spec.origin is None:
        return {}
    try:
        data = orjson.loads((Path(spec.origin).parent / _MODEL_DATA).read_bytes())
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None
