"""Opens the provider that a profile describes: the place where LiteLLM or the simulated model is loaded, if at all."""

from __future__ import annotations

import os
from collections.abc import Mapping

from maker_dsl.diagnostics import Diagnostic
from maker_dsl.diagnostics.diagnostic import Label
from maker_dsl.providers.port import PermanentError, Provider
from maker_dsl.providers.profile import Profile
from maker_dsl.task import Task


class ProfileError(Exception):
    """The profile turned out wrong only when its provider was opened. Carries the finding; exit code 2."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.title)
        self.diagnostic = diagnostic


def open_provider(profile: Profile, task: Task, seed: int, environ: Mapping[str, str] | None = None) -> Provider:
    """The provider, ready for calls; the caller closes it. Raises ProfileError where LiteLLM can't open it."""
    if profile.provider == "simulated":
        from maker_dsl.simulation.provider import SimulatedProvider

        return SimulatedProvider(task, profile.simulate, seed, price=profile.own_price, name=profile.name)
    from maker_dsl.providers.litellm_port import open_litellm

    try:
        return open_litellm(profile, os.environ if environ is None else environ)
    except PermanentError as error:
        code, key = ("MK616", "constrain_as") if error.kind == "missing_package" else ("MK613", "model")
        span = profile.span_of(key)
        if span is None:
            raise
        raise ProfileError(Diagnostic(code, str(error), Label(span), help=error.help)) from None
