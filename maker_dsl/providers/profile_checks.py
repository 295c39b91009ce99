"""What can be wrong with a profile's settings, in the words of the profile: unknown keys, types, contradictions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from maker_dsl.diagnostics import Problems, did_you_mean
from maker_dsl.providers.constraint_checks import check_constraint
from maker_dsl.providers.overrides import Layers
from maker_dsl.providers.profile import PriceSettings, Profile
from maker_dsl.providers.secrets import looks_like_key
from maker_dsl.providers.toml_places import Path

_EXPECTED = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "string_type": "a text in quotes",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
}
_RANGES = {
    "greater_than": ("gt", "more than"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "less than"),
    "less_than_equal": ("le", "at most"),
}
_OWN_PARAMS = {
    "api_base": "api_base",
    "api_version": "api_version",
    "base_url": "api_base",
    "concurrency": "limits.concurrency",
    "max_completion_tokens": "max_tokens",
    "max_tokens": "max_tokens",
    "model": "model",
    "n": "samples_per_call",
    "num_retries": "retry.attempts",
    "max_retries": "retry.attempts",
    "request_timeout": "timeout_s",
    "temperature": "temperature",
    "timeout": "timeout_s",
    "input_cost_per_token": "price.input",
    "output_cost_per_token": "price.output",
}
_FORBIDDEN_PARAMS = {
    "callbacks": "callbacks would see the API key",
    "success_callback": "callbacks would see the API key",
    "failure_callback": "callbacks would see the API key",
    "fallbacks": "another model would answer without anybody noticing",
    "context_window_fallback_dict": "another model would answer without anybody noticing",
    "caching": "samples of one step must be independent",
    "cache": "samples of one step must be independent",
    "messages": "the task writes the prompt",
    "mock_response": "rehearse with the profile `simulated` instead",
    "stream": "replies are read whole",
}
_KEY_PARAMS = ("api_key", "aws_secret_access_key", "aws_session_token", "aws_access_key_id", "azure_ad_token")
_ONLY_LITELLM = (
    "model",
    "api_base",
    "api_key_env",
    "api_version",
    "timeout_s",
    "samples_per_call",
    "constrain",
    "constrain_as",
    "params",
)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def validated(name: str, layers: Layers, problems: Problems) -> Profile | None:
    """The profile, if every key is known and every value fits."""
    if "name" in layers.data:
        _report_unknown(("name",), layers, problems)
        return None
    variable = layers.data.get("api_key_env")
    if isinstance(variable, str) and looks_like_key(variable):
        problems.add(
            "MK609",
            "a profile names the variable that holds the key, never the key",
            layers.value_span(("api_key_env",)),
            help='put the key into an environment variable and write its name: `api_key_env = "OPENAI_API_KEY"`; '
            "if this file was shared, the key should be replaced",
        )
        return None
    if isinstance(layers.data.get("api_key"), str):
        problems.add(
            "MK609",
            "a profile names the variable that holds the key, never the key",
            layers.key_span(("api_key",)),
            help='put the key into an environment variable and write its name: `api_key_env = "OPENAI_API_KEY"`',
        )
        return None
    try:
        profile = Profile.model_validate({**layers.data, "name": name})
    except ValidationError as refusal:
        for error in refusal.errors(include_url=False, include_input=False):
            _report(error["type"], tuple(map(str, error["loc"])), error.get("ctx", {}), error["msg"], layers, problems)
        return None
    return profile.located({key: layers.value_span((key,)) for key in ("model", "constrain_as")})


def check_profile(profile: Profile, layers: Layers, environ: Mapping[str, str] | None, problems: Problems) -> None:
    """What the values say together."""
    if profile.provider == "simulated":
        for key in _ONLY_LITELLM:
            if layers.is_written((key,)):
                _report_unused(key, 'with `provider = "simulated"`', layers, problems)
        return
    if layers.is_written(("simulate",)):
        _report_unused("simulate", 'unless the profile says `provider = "simulated"`', layers, problems)
    if profile.model is None:
        problems.add(
            "MK607",
            "the profile names no model",
            layers.key_span(("model",)),
            help='write for example `model = "openai/gpt-4.1-mini"` at the top, or give `--override model=NAME`',
        )
    elif not profile.model.strip():
        problems.add("MK606", "`model` is empty", layers.value_span(("model",)))
    if profile.api_base is not None and not re.match(r"https?://[^\s/]", profile.api_base):
        problems.add(
            "MK606",
            "`api_base` is not the address of a server",
            layers.value_span(("api_base",)),
            help='an address begins with `http://` or `https://`: `api_base = "http://localhost:8000/v1"`',
        )
    if not profile.sends_temperature and profile.first_temperature is not None:
        _report_unused("first_temperature", 'with `temperature = "default"`', layers, problems)
    _check_constraint(profile, layers, problems)
    _check_params(profile.params, layers, problems)
    if profile.api_key_env is not None:
        _check_key_variable(profile.api_key_env, layers, environ, problems)


def _check_constraint(profile: Profile, layers: Layers, problems: Problems) -> None:
    if profile.constrain == "off":
        # With `constrain = "off"` in so many words the other key waits, as after `--override constrain=off`.
        if layers.is_written(("constrain_as",)) and not layers.is_written(("constrain",)):
            _report_unused("constrain_as", 'without `constrain = "prefer"` or `"require"`', layers, problems)
        return
    check_constraint(profile, layers, problems)


def _check_params(params: Mapping[str, Any], layers: Layers, problems: Problems) -> None:
    for name in params:
        span = layers.key_span(("params", name))
        if name in _KEY_PARAMS:
            problems.add(
                "MK609",
                "a profile names the variable that holds the key, never the key",
                span,
                help="put the key into an environment variable; `api_key_env` names it, and LiteLLM finds "
                "the `AWS_…` and `AZURE_…` variables by itself",
            )
        elif name in _OWN_PARAMS:
            problems.add(
                "MK611", f"`{name}` does not belong in `[params]`", span, help=f"set `{_OWN_PARAMS[name]}` instead"
            )
        elif name in _FORBIDDEN_PARAMS:
            problems.add(
                "MK611",
                f"`{name}` does not belong in `[params]`",
                span,
                help=f"leave it out: {_FORBIDDEN_PARAMS[name]}",
            )


def _check_key_variable(variable: str, layers: Layers, environ: Mapping[str, str] | None, problems: Problems) -> None:
    span = layers.value_span(("api_key_env",))
    if not _VARIABLE.fullmatch(variable):
        problems.add("MK606", f"`{variable}` cannot be the name of an environment variable", span)
    elif environ is not None and not environ.get(variable):
        problems.add(
            "MK608",
            f"the environment variable `{variable}` is not set",
            span,
            "the key is expected in this variable",
            help=f"set it: `export {variable}=…`; to rehearse without a key, use `--provider simulated`",
        )


def _report(
    kind: str, path: Path, context: Mapping[str, Any], message: str, layers: Layers, problems: Problems
) -> None:
    key = ".".join(path)
    if kind == "extra_forbidden":
        _report_unknown(path, layers, problems)
    elif kind == "missing":
        problems.add(
            "MK607", f"`{key}` is missing", layers.key_span(path), help=f"write `{path[-1]} = …` in `[{path[0]}]`"
        )
    elif kind in _RANGES:
        which, words = _RANGES[kind]
        problems.add(
            "MK606", f"`{key}` is out of range", layers.value_span(path), f"must be {words} {context[which]:g}"
        )
    elif kind == "finite_number" or kind.endswith("_range"):
        expected = "a finite number" if kind == "finite_number" else message
        problems.add("MK606", f"`{key}` is out of range", layers.value_span(path), f"must be {expected}")
    elif kind in ("share", "latency", "seed", "sum"):
        problems.add("MK606", f"`{key}` is out of range", layers.value_span(path), message)
    elif kind == "literal_error":
        help = None
        if path == ("provider",):
            help = 'all real providers go through LiteLLM: name yours in the model, as `model = "anthropic/…"`'
        label = f"must be {context['expected']}".replace("'", "`")
        problems.add("MK605", f"`{key}` has a value that is not known", layers.value_span(path), label, help=help)
    else:
        expected = _EXPECTED.get(kind, message)
        help = f"write `[{path[0]}]` and its keys below it" if expected == "a table" else None
        problems.add(
            "MK605", f"`{key}` has a value of the wrong type", layers.value_span(path), f"must be {expected}", help=help
        )


def _report_unknown(path: Path, layers: Layers, problems: Problems) -> None:
    known = _keys_of(path[:-1])
    where = f" in `[{path[0]}]`" if len(path) > 1 else ""
    elsewhere = [f"{table}.{path[-1]}" for table in _tables() if path[-1] in _keys_of((table,))]
    near = did_you_mean(path[-1], known)
    if path[-1] in _keys_of(()) and len(path) > 1:
        help = f"`{path[-1]}` belongs at the top, before the first `[table]`"
    elif elsewhere and len(path) == 1:
        help = f"`{path[-1]}` belongs in a table: `{elsewhere[0]}`"
    elif near is not None:
        help = near
    else:
        help = "allowed here: " + ", ".join(f"`{key}`" for key in known)
        help += "; parameters of the provider go into `[params]`" if len(path) == 1 else ""
    problems.add("MK604", f"unknown key `{path[-1]}`{where}", layers.key_span(path), help=help)


def _report_unused(key: str, when: str, layers: Layers, problems: Problems) -> None:
    problems.add("MK612", f"`{key}` has no effect {when}", layers.key_span((key,)), help="leave it out")


def _keys_of(table: Iterable[str]) -> list[str]:
    model: type[BaseModel] = Profile
    for name in table:
        model = _tables().get(name, Profile)
    return [key for key in model.model_fields if key != "name"]


def _tables() -> dict[str, type[BaseModel]]:
    found: dict[str, type[BaseModel]] = {"price": PriceSettings}
    for name, field in Profile.model_fields.items():
        default = field.default
        if isinstance(default, BaseModel):
            found[name] = type(default)
    return found
