"""What went wrong in a call through LiteLLM: worth another attempt, or not, and in plain words.

LiteLLM's own exception classes mislead: a dropped connection, an HTML page and broken JSON all come as a 500, several
4xx as a general API error, a reply that it cannot convert as a 422. What is told apart here instead is what the server
did, from the exception that the HTTP library raised at the bottom of the chain: its true status, headers and body.
Nothing here imports LiteLLM; exceptions are looked at by name and attribute. Messages have secrets struck out.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

from maker_dsl.providers.port import PermanentError, ProviderError, TransientError
from maker_dsl.providers.secrets import Secrets

_LONGEST = 300
_TRANSIENT_STATUS = frozenset({408, 409, 425, 429})

_TOO_LONG = re.compile(
    r"(?i)context_length_exceeded|maximum context length|context window|prompt is too long|input is too long"
    r"|too many (input )?tokens|reduce the length|exceeds? the (maximum|available) (number of tokens|context)"
    r"|string_above_max_length|exceed_context_size|input token count"
)
_NO_CREDIT = re.compile(
    r"(?i)insufficient_quota|insufficient[ _](credit|balance|fund)|credit balance is too low|billing_hard_limit"
    r"|exceeded your current quota, please check your plan|out of credits"
)
_BAD_KEY = re.compile(r"(?i)api[ _]key not valid|api_key_invalid|invalid[ _]api[ _]key|incorrect api key")
_UNKNOWN_MODEL = re.compile(
    r"(?i)model_not_found|no such model|model\b.{0,80}\b(does not exist|not found|is not supported)|unknown model"
    r"|not a valid model"
)
_OWN_WORDS = re.compile(r"^(litellm\.)?\w+Error: |\s*To drop unsupported params.*|\nTraceback.*", re.DOTALL)
_TRY_AGAIN = re.compile(r"(?i)(?:try again|retry)\s+(?:in|after)\s+(?:(\d+)m)?\s*(\d+(?:\.\d+)?)\s*(ms|s\b|sec)")
_RETRY_DELAY = re.compile(r'"retryDelay"\s*:\s*"(\d+(?:\.\d+)?)s"')

_HELP: Mapping[str, str] = {
    "bad_key": "check the key in the profile's key variable (`api_key_env`), and that it may use this model",
    "unknown_model": "check `model` in the profile, or try another with `--override model=NAME`",
    "too_long": "the prompt is longer than the model can read: shorten it, or choose a model with more context",
    "no_credit": "the account has no credit left, or its spending limit is reached: `maker resume` goes on afterwards",
    "temperature": 'the model refuses this temperature: with `temperature = "default"` in the profile none is sent',
    "missing_package": "install the package that LiteLLM names",
    "bad_request": "the server refuses the request as it is: look at the profile's model, temperature and `[params]`",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server said, as far as it is known. Status None: nothing came."""

    status: int | None
    headers: Mapping[str, str]
    body: str


def classify(error: BaseException, secrets: Secrets, timeout_s: float, server: str = "the server") -> ProviderError:
    """The error of the port for an exception that LiteLLM raised; `server` is what messages call the other end."""
    chain = list(_chain(error))
    answer = _answer(chain)
    if answer is not None:
        return _of_answer(answer, secrets)
    names = [type(link).__name__ for link in chain]
    if any(isinstance(link, TimeoutError) or "Timeout" in name for link, name in zip(chain, names, strict=True)):
        return TransientError(f"no reply within {timeout_s:g} s", kind="timeout")
    if any(isinstance(link, ImportError) for link in chain):
        return _permanent("missing_package", None, _short(str(chain[-1]), secrets))
    if any(name in ("ConnectError", "ClientConnectorError", "ConnectionRefusedError") for name in names):
        return TransientError(f"{server} cannot be reached", kind="dropped")
    if any(_is_connection_error(link) for link in chain):
        return TransientError("the connection was dropped", kind="dropped")
    if _is_broken_reply(chain):
        return TransientError(
            "the server's reply is broken: " + _what_is_broken(chain), kind="broken_reply", status=200
        )
    return _of_litellm(chain[0], secrets)


def retry_after_s(headers: Mapping[str, str], body: str, now_s: float) -> float | None:
    """How long the server asks to wait: its headers, else a hint in its message. `now_s` is the Unix time."""
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000.0
    after = headers.get("retry-after")
    seconds = _number(after)
    if seconds is not None:
        return seconds
    if after:
        try:
            return max(0.0, parsedate_to_datetime(after).timestamp() - now_s)
        except (ValueError, TypeError):
            pass
    delay = _RETRY_DELAY.search(body)
    if delay:
        return float(delay[1])
    hint = _TRY_AGAIN.search(body)
    if hint:
        amount = float(hint[2]) / (1000.0 if hint[3].lower() == "ms" else 1.0)
        return amount + 60.0 * float(hint[1] or 0)
    return None


def _of_answer(answer: Answer, secrets: Secrets) -> ProviderError:
    status = answer.status
    body = answer.body
    said = _short(_message_of(body), secrets)
    text = f"the server answered {status}" + (f": {said}" if said else "")
    assert status is not None
    if _NO_CREDIT.search(body) and status in (400, 402, 403, 429):
        return _permanent("no_credit", status, text)
    if status in _TRANSIENT_STATUS or status >= 500:
        kind = {429: "rate_limit", 408: "timeout"}.get(status, "server_error" if status >= 500 else "conflict")
        if status in (503, 529):
            kind = "overloaded"
        wait_s = retry_after_s(answer.headers, body, time.time())
        return TransientError(text, kind=kind, status=status, retry_after_s=wait_s)
    if status == 402:
        return _permanent("no_credit", status, text)
    if status == 413 or (status in (400, 422) and _TOO_LONG.search(body)):
        return _permanent("too_long", status, text)
    if status in (401, 403) or (status == 400 and _BAD_KEY.search(body)):
        return _permanent("bad_key", status, text)
    if status == 404 or (status in (400, 422) and _UNKNOWN_MODEL.search(body)):
        return _permanent("unknown_model", status, text)
    return _permanent("bad_request", status, text)


def _of_litellm(error: BaseException, secrets: Secrets) -> ProviderError:
    """LiteLLM refused by itself; nothing was sent."""
    name = type(error).__name__
    text = _short(_OWN_WORDS.sub("", str(error)), secrets)
    if name == "AuthenticationError":
        return _permanent("bad_key", None, text)
    if name in ("NotFoundError",) or "LLM Provider NOT provided" in str(error):
        return _permanent("unknown_model", None, text)
    if name in ("ContextWindowExceededError",):
        return _permanent("too_long", None, text)
    if name in ("BadRequestError", "UnsupportedParamsError", "UnprocessableEntityError", "PermissionDeniedError"):
        return _permanent("bad_request", None, text)
    return TransientError(f"the call failed: {text}", kind="failed")


def _permanent(kind: str, status: int | None, text: str) -> PermanentError:
    about_temperature = kind == "bad_request" and "temperature" in text
    return PermanentError(text, kind=kind, status=status, help=_HELP["temperature" if about_temperature else kind])


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _answer(chain: list[BaseException]) -> Answer | None:
    """The server's answer from the HTTP library's exception; an error inside a 200 counts as what it names."""
    for link in chain:
        response = getattr(link, "response", None)
        if type(link).__name__.endswith("HTTPStatusError") and response is not None:
            headers = {str(name).lower(): str(value) for name, value in response.headers.items()}
            return Answer(int(response.status_code), headers, _body(response, chain))
    for link in chain:
        status = getattr(link, "status_code", None)
        if type(link) is Exception and isinstance(status, int) and 400 <= status < 600:
            return Answer(status, {}, _outer_message(chain))
    return None


def _body(response: Any, chain: list[BaseException]) -> str:
    try:
        return str(response.text) or _outer_message(chain)
    except Exception:
        return _outer_message(chain)


def _outer_message(chain: list[BaseException]) -> str:
    """The shortest of what LiteLLM's exceptions say: it wraps the server's message in words of its own."""
    return min((str(link) for link in chain if hasattr(link, "status_code") and str(link)), key=len, default="")


def _is_connection_error(link: BaseException) -> bool:
    module = type(link).__module__.partition(".")[0]
    name = type(link).__name__
    if isinstance(link, OSError):
        return True
    if module in ("httpx", "httpcore"):
        return name.endswith(("ReadError", "WriteError", "CloseError", "ProtocolError", "NetworkError", "ProxyError"))
    return module == "aiohttp" and name.startswith(("Client", "Server"))


def _is_broken_reply(chain: list[BaseException]) -> bool:
    text = str(chain[0])
    return (
        any(isinstance(link, ValueError | KeyError | TypeError | AttributeError) for link in chain[1:])
        or any(getattr(link, "status_code", None) == 200 for link in chain)
        or "invalid response" in text.lower()
        or "Error converting" in text
    )


def _what_is_broken(chain: list[BaseException]) -> str:
    if any("<html" in str(link).lower() or "<!doctype" in str(link).lower() for link in chain):
        return "an HTML page"
    if any(isinstance(link, json.JSONDecodeError) for link in chain):
        return "not JSON"
    if any(isinstance(link, KeyError) for link in chain[1:]):
        return f"{_last_key(chain)} is missing"
    return "not in the form of a completion"


def _last_key(chain: list[BaseException]) -> str:
    keys = [link.args[0] for link in chain if isinstance(link, KeyError) and link.args]
    return f"`{keys[-1]}`" if keys and isinstance(keys[-1], str) and keys[-1].isidentifier() else "a key"


def _message_of(body: str) -> str:
    """The message in an error body: `error.message` of JSON, else the text."""
    if "<html" in body[:500].lower() or "<!doctype" in body[:500].lower():
        return "an HTML page"
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return body
    if isinstance(data, list) and data:
        data = data[0]
    for key in ("error", "message", "detail"):
        if isinstance(data, dict) and data.get(key):
            data = data[key]
            if isinstance(data, dict) and isinstance(data.get("message"), str):
                data = data["message"]
    return data if isinstance(data, str) else body


def _short(text: str, secrets: Secrets) -> str:
    text = " ".join(secrets.strike(text).split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _number(text: str | None) -> float | None:
    try:
        value = float(text) if text is not None else None
    except ValueError:
        return None
    return value if value is not None and 0.0 <= value < 1e7 else None
