"""Every real model, through LiteLLM: the only file that imports it, when a provider is opened (it takes seconds).

LiteLLM is used for the wire formats alone. Its retries, budgets, rate limits, caches, callbacks and streams stay off:
they act in secret, see keys or leak (FINDINGS, "LiteLLM in long runs"). One `complete` is one HTTP request.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
import math
import os
import unicodedata
import warnings
from base64 import b64encode
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import replace
from importlib.util import find_spec
from types import ModuleType
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

from maker_dsl.providers.constraint import Constrain, proof_grammar, request_members
from maker_dsl.providers.litellm_errors import classify
from maker_dsl.providers.port import Completion, PermanentError, Price, Reply, Request, TransientError, Usage
from maker_dsl.providers.profile import Profile
from maker_dsl.providers.secrets import Secrets, public_url
from maker_dsl.providers.window import window_of
from maker_dsl.task import Finish, Prompt

_MANY = 8
"""Samples per call where the provider is known to answer `n`; what a step asks for at once is seldom more."""

_ANSWERS_N = frozenset({"openai", "azure"})
"""Providers that answer `n` choices, at their own address. Others need `samples_per_call`: several accept `n` and
answer once, or refuse it."""

_LOCAL = frozenset({"ollama", "ollama_chat"})
"""LiteLLM's price for these is a zero that nobody stated, and looking it up calls the server."""

_TOKENS_AROUND_MESSAGE = 16
_TOKENS_AROUND_REQUEST = 200
"""What chat templates and providers add around the texts; the largest known preamble is about 120 tokens."""

_GRACE_S = 1.0

_WARM_UP: Mapping[str, Any] = {
    "model": "openai/warm-up",
    "messages": [{"role": "user", "content": "warm-up"}],
    "mock_response": "done",
    "api_base": "http://127.0.0.1:9",
    "api_key": "none",
    "num_retries": 0,
    "max_retries": 0,
}
"""Answered inside LiteLLM. The address is the discard port of this machine, should a later LiteLLM forget to."""

_FINISH: Mapping[str, Finish] = {
    "stop": "stop",
    "eos": "stop",
    "end_turn": "stop",
    "stop_sequence": "stop",
    "length": "length",
    "max_tokens": "length",
    "max_output_tokens": "length",
    "content_filter": "filtered",
    "safety": "filtered",
    "refusal": "filtered",
}


def open_litellm(profile: Profile, environ: Mapping[str, str]) -> LiteLLMProvider:
    """Load LiteLLM and prepare calls; raises PermanentError where it can't: an unknown model, a package missing."""
    constrain = profile.constraint
    if constrain is not None and constrain.dialect == "openai-tool" and find_spec("mcp") is None:
        raise PermanentError(
            'LiteLLM needs another package for `constrain_as = "openai-tool"`',
            kind="missing_package",
            help="install it: `pip install 'maker-dsl[openai-tool]'`",
        )
    secrets = Secrets.of(environ, *profile.secret_values(), environ.get(profile.api_key_env or "", None))
    litellm = _load()
    model = profile.model or ""
    try:
        _, provider, _, _ = litellm.get_llm_provider(model, api_base=profile.api_base)
    except Exception:
        raise PermanentError(
            f"LiteLLM knows no provider for the model `{model}`",
            kind="unknown_model",
            help="write the provider before the model, as in `openai/gpt-4.1-mini`; `openai/NAME` with `api_base` "
            "is right for any server that speaks the OpenAI format",
        ) from None
    key = environ.get(profile.api_key_env) if profile.api_key_env else None
    return LiteLLMProvider(litellm, profile, provider, key, secrets)


class LiteLLMProvider:
    """One model of one profile."""

    _open = 0

    def __init__(self, litellm: ModuleType, profile: Profile, provider: str, key: str | None, secrets: Secrets) -> None:
        self.name = f"{profile.name} ({profile.model})"
        self.price = profile.own_price or _known_price(litellm, profile.model or "", provider)
        self.constrain = _constraint(litellm, profile, provider)
        self._speaks_responses = self.constrain is not None and self.constrain.dialect == "openai-tool"
        self.samples_per_call = profile.samples_per_call or _samples_per_call(profile, provider)
        if self._speaks_responses:
            self.samples_per_call = 1
        self.answers_at_once = False
        self._litellm = litellm
        self._timeout_s = profile.timeout_s
        self._server = "the server" if profile.api_base is None else f"the server at {public_url(profile.api_base)}"
        self._secrets = secrets
        self._sends_temperature = profile.sends_temperature
        self._most_output = window_of(profile).output if profile.max_tokens is None else None
        self._arguments = _arguments(profile, key)
        self._unlogged = _unlogged_calls()
        LiteLLMProvider._open += 1
        self._is_open = True

    def input_bound(self, prompt: Prompt) -> int:
        """The bytes of the texts and what is put around them.

        A token stands for at least one byte of the text (byte-level tokenizers merge bytes, the others fall back to
        single bytes), after the normalisation that some tokenizers do first, which can make a text longer.
        """
        messages = 1 if prompt.system is None else 2
        texts = _longest_bytes(prompt.user) + _longest_bytes(prompt.system or "")
        return texts + messages * _TOKENS_AROUND_MESSAGE + _TOKENS_AROUND_REQUEST

    async def complete(self, request: Request) -> Completion:
        """One HTTP request. A cancellation closes its connection; what the server does then is unknown."""
        arguments = dict(self._arguments)
        arguments["messages"] = _messages(request.prompt)
        if request.temperature is not None and self._sends_temperature:
            arguments["temperature"] = request.temperature
        if request.max_tokens is not None:
            most = self._most_output
            arguments["max_tokens"] = request.max_tokens if most is None else min(request.max_tokens, most)
        if len(request.draws) > 1:
            arguments["n"] = len(request.draws)
        call = self._litellm.acompletion
        if request.grammar is not None and self.constrain is not None:
            _add_members(arguments, request_members(self.constrain.dialect, request.grammar))
            if self._speaks_responses:
                call, arguments = self._litellm.aresponses, _as_responses(arguments)
        quiet = self._unlogged.set(True)
        try:
            async with asyncio.timeout(self._timeout_s + _GRACE_S):
                response = await call(**arguments)
            if call is self._litellm.acompletion:
                return _completion(response, len(request.draws))
            return _tool_completion(response)
        except (KeyError, TypeError, AttributeError, IndexError, ValueError):
            error: Exception = TransientError(
                "the server's reply is broken: not in the form of a completion", kind="broken_reply", status=200
            )
        except Exception as raised:
            error = classify(raised, self._secrets, self._timeout_s, self._server)
        finally:
            self._unlogged.reset(quiet)
        # Not `from`: LiteLLM's exceptions carry headers and keys, and a traceback would show them.
        raise error from None

    async def close(self) -> None:
        """Close LiteLLM's connections when the last provider closes: it keeps one set for all."""
        if not self._is_open:
            return
        self._is_open = False
        LiteLLMProvider._open -= 1
        if LiteLLMProvider._open == 0:
            await self._litellm.close_litellm_async_clients()
            self._litellm.in_memory_llm_clients_cache.flush_cache()


def _load() -> ModuleType:
    """Import LiteLLM, quiet and without side effects: no price download, no `.env` file read, no log lines.

    Half of it loads at the first call; a call without a network brings that forward to where its warnings are caught.
    """
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    os.environ["LITELLM_MODE"] = "PRODUCTION"
    for name in ("LiteLLM", "LiteLLM Proxy", "LiteLLM Router"):
        logging.getLogger(name).disabled = True
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        litellm = importlib.import_module("litellm")
        litellm.__dict__.update(
            suppress_debug_info=True,
            telemetry=False,
            disable_hf_tokenizer_download=True,
            drop_params=False,
            callbacks=[],
            input_callback=[],
            success_callback=[],
            failure_callback=[],
        )
        if not getattr(_load, "is_warm", False):
            litellm.completion(**_WARM_UP)
            _load.__dict__["is_warm"] = True
    return litellm


def _unlogged_calls() -> ContextVar[bool]:
    """The variable with which LiteLLM marks calls of its own, for which it does no logging.

    Even without a callback its logging prepares a record of each call: a fifth of its time, and for Ollama a second,
    blocking request to the server. Versions without the variable log.
    """
    try:
        variable = importlib.import_module("litellm._internal_context").is_internal_call
    except (ImportError, AttributeError):
        variable = None
    return variable if isinstance(variable, ContextVar) else ContextVar("unlogged", default=False)


def _arguments(profile: Profile, key: str | None) -> dict[str, Any]:
    arguments: dict[str, Any] = {
        **profile.params,
        "model": profile.model,
        "timeout": profile.timeout_s,
        "num_retries": 0,
        "max_retries": 0,
    }
    if profile.api_base is not None:
        arguments["api_base"], login = _split_credentials(profile.api_base)
        if login is not None:
            arguments["extra_headers"] = {"Authorization": login, **arguments.get("extra_headers", {})}
        # Without a key LiteLLM would send the provider's usual one, from the environment, to this other server.
        arguments["api_key"] = key or "none"
    elif key is not None:
        arguments["api_key"] = key
    if profile.api_version is not None:
        arguments["api_version"] = profile.api_version
    return arguments


def _split_credentials(url: str) -> tuple[str, str | None]:
    """A URL without user name and password, and the header that says the same: LiteLLM fails on such a URL."""
    parts = urlsplit(url)
    login, at, host = parts.netloc.rpartition("@")
    if not at:
        return url, None
    header = "Basic " + b64encode(unquote(login).encode()).decode()
    return urlunsplit(parts._replace(netloc=host)), header


def _add_members(arguments: dict[str, Any], members: Mapping[str, Any]) -> None:
    """Put the members for a grammar to the others; what the profile says beside them in `extra_body` stays."""
    for name, value in members.items():
        given = arguments.get(name)
        arguments[name] = {**given, **value} if name == "extra_body" and isinstance(given, dict) else value


def _constraint(litellm: ModuleType, profile: Profile, provider: str) -> Constrain | None:
    """What the profile asks for; hindered where LiteLLM only shows a schema to the model, which may follow it or not.

    It does so for models that it doesn't know to take one: as the input of a tool, or in the prompt.
    """
    constrain = profile.constraint
    if constrain is None or constrain.dialect != "json-schema":
        return constrain
    model = (profile.model or "").removeprefix(f"{provider}/")
    members = request_members(constrain.dialect, proof_grammar(constrain.target, "x"))
    try:
        sent = litellm.get_optional_params(model=model, custom_llm_provider=provider, **members)
        in_prompt = "response_schema" in sent and not litellm.supports_response_schema(model, provider)
    except Exception:
        # LiteLLM refuses it altogether: the proof's call says why.
        return constrain
    if "tools" not in sent and not in_prompt:
        return constrain
    return replace(constrain, hindrance="LiteLLM shows a schema to this model and has nobody hold it to that")


def _as_responses(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The same call for the Responses API, the only one in which a tool's input has a grammar."""
    renamed = {"messages": "input", "max_tokens": "max_output_tokens"}
    return {renamed.get(name, name): value for name, value in arguments.items() if name != "n"}


def _tool_completion(response: Any) -> Completion:
    """The input of the one tool call as the reply; anything else is a reply that the grammar did not hold."""
    used = _tool_usage(response.usage)
    calls = [item for item in response.output if _member(item, "type") == "custom_tool_call"]
    if calls:
        text = str(_member(calls[0], "input") or "")
    else:
        parts = [part for item in response.output for part in _member(item, "content") or ()]
        text = "".join(str(_member(part, "text") or "") for part in parts)
    details = _member(response, "incomplete_details")
    reason = None if details is None else _member(details, "reason")
    finish: Finish = _FINISH.get(str(reason), "other") if reason is not None else "stop" if text else "other"
    tokens = math.ceil(len(text.encode(errors="replace")) / 4) if used is None else used.output_tokens
    return Completion((Reply(text, finish, tokens, used is None),), used)


def _tool_usage(usage: Any) -> Usage | None:
    if usage is None or not usage.input_tokens:
        return None
    given, cached = int(usage.input_tokens), _member(_member(usage, "input_tokens_details"), "cached_tokens")
    return Usage(given, int(usage.output_tokens or 0), min(int(cached or 0), given))


def _member(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else getattr(value, name, None)


def _messages(prompt: Prompt) -> list[dict[str, str]]:
    user = {"role": "user", "content": prompt.user}
    return [user] if prompt.system is None else [{"role": "system", "content": prompt.system}, user]


def _completion(response: Any, draws: int) -> Completion:
    usage = _usage(getattr(response, "usage", None))
    choices = sorted(response.choices, key=lambda choice: choice.index)[:draws]
    texts = [getattr(choice.message, "content", None) or "" for choice in choices]
    finishes = [_finish(choice, text) for choice, text in zip(choices, texts, strict=True)]
    if not choices:
        return Completion((Reply("", "other", 0, usage is None),), usage)
    if len(choices) == 1 and usage is not None:
        return Completion((Reply(texts[0], finishes[0], usage.output_tokens),), usage)
    total = None if usage is None else usage.output_tokens
    tokens = _split(texts, total)
    replies = zip(texts, finishes, tokens, strict=True)
    return Completion(tuple(Reply(text, finish, count, True) for text, finish, count in replies), usage)


def _finish(choice: Any, text: str) -> Finish:
    reason = str(choice.finish_reason or "").lower()
    finish = _FINISH.get(reason, "other")
    return "other" if finish == "stop" and not text else finish


def _usage(usage: Any) -> Usage | None:
    """LiteLLM turns missing usage into zeros; no call has an empty prompt, so zero input means: not reported."""
    if usage is None or not usage.prompt_tokens:
        return None
    details = getattr(usage, "prompt_tokens_details", None)
    cached = getattr(details, "cached_tokens", None) or 0
    return Usage(
        int(usage.prompt_tokens), int(usage.completion_tokens or 0), min(int(cached), int(usage.prompt_tokens))
    )


def _split(texts: list[str], total: int | None) -> list[int]:
    """Tokens of each text: its share of the total by length; without a total a quarter of its bytes."""
    if total is None:
        return [math.ceil(len(text.encode(errors="replace")) / 4) for text in texts]
    length = sum(map(len, texts))
    if length == 0:
        return [total // len(texts)] * len(texts)
    return [max(1, round(total * len(text) / length)) if text else 0 for text in texts]


def _longest_bytes(text: str) -> int:
    if text.isascii():
        return len(text)
    normal = unicodedata.normalize("NFKC", text)
    return max(len(text.encode(errors="surrogatepass")), len(normal.encode(errors="surrogatepass")))


def _samples_per_call(profile: Profile, provider: str) -> int:
    return _MANY if provider in _ANSWERS_N and (provider == "azure" or profile.api_base is None) else 1


def _known_price(litellm: ModuleType, model: str, provider: str) -> Price | None:
    """From LiteLLM's price map, under the model's own provider; None where it has none."""
    if provider in _LOCAL:
        return None
    bare = model.removeprefix(f"{provider}/")
    for name in (model, f"{provider}/{bare}", bare):
        entry = litellm.model_cost.get(name)
        if entry is None or not str(entry.get("litellm_provider", "")).startswith(provider):
            continue
        input_usd, output_usd = entry.get("input_cost_per_token"), entry.get("output_cost_per_token")
        if input_usd is not None and output_usd is not None:
            cached_usd = entry.get("cache_read_input_token_cost")
            cached = None if cached_usd is None else _per_million(cached_usd)
            return Price(_per_million(input_usd), _per_million(output_usd), cached)
    return None


def _per_million(usd: float) -> float:
    return round(usd * 1e6, 9)
