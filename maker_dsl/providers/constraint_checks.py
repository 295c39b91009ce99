"""What a profile with constrained decoding lacks, or says twice: part of `profile_checks`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from maker_dsl.diagnostics import Problems
from maker_dsl.providers.constraint import TARGETS, Dialect, request_members
from maker_dsl.providers.overrides import Layers
from maker_dsl.providers.profile import Profile
from maker_dsl.providers.toml_places import Path

_ONLY_CHAT = ("seed", "stop", "frequency_penalty", "presence_penalty", "logit_bias", "response_format")
"""Parameters that LiteLLM drops from calls of the Responses API without a word."""


def check_constraint(profile: Profile, layers: Layers, problems: Problems) -> None:
    """What the keys for constrained decoding say together with the others, where it is not off."""
    if profile.constrain_as is None:
        problems.add(
            "MK616",
            "the profile doesn't say how its server takes a grammar",
            layers.value_span(("constrain",)),
            help="write `constrain_as = …`: " + ", ".join(f'`"{dialect}"`' for dialect in TARGETS),
        )
    elif profile.constrain_as == "openai-tool" and (profile.samples_per_call or 1) > 1:
        problems.add(
            "MK616",
            "a tool's call is one reply: `samples_per_call` can't be more than 1",
            layers.value_span(("samples_per_call",)),
            help='leave it out, or constrain another way than as `"openai-tool"`',
        )
    else:
        if profile.constrain_as == "openai-tool":
            _check_tool_params(profile.params, layers, problems)
        _check_members(profile.constrain_as, profile.params, layers, problems)


def _check_tool_params(params: Mapping[str, Any], layers: Layers, problems: Problems) -> None:
    """Refuse parameters that calls of a tool would lose without a word."""
    for name in _ONLY_CHAT:
        if name in params:
            problems.add(
                "MK616",
                f'`{name}` would not be sent with `constrain_as = "openai-tool"`',
                layers.key_span(("params", name)),
                "the Responses API has no such parameter",
                help="leave it out, or constrain another way",
            )


def _check_members(dialect: Dialect, params: Mapping[str, Any], layers: Layers, problems: Problems) -> None:
    """Refuse parameters in whose place the grammar goes: LiteLLM's own, and those beside them in the body."""
    members = request_members(dialect, "{}")
    body = params.get("extra_body")
    beside = members.get("extra_body", {})
    places: list[Path] = [("params", name) for name in (*members, *beside) if name != "extra_body" and name in params]
    places += [("params", "extra_body", name) for name in beside if isinstance(body, dict) and name in body]
    for place in places:
        problems.add(
            "MK616",
            f'`{place[-1]}` is where the grammar goes with `constrain_as = "{dialect}"`',
            layers.key_span(place),
            help='leave it out, or set `constrain` to `"off"`',
        )
