"""What LiteLLM's exceptions come down to, on chains like those that it raises; LiteLLM itself is not loaded."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maker_dsl.providers.litellm_errors import classify, retry_after_s
from maker_dsl.providers.port import PermanentError, ProviderError, TransientError
from maker_dsl.providers.secrets import STRUCK, Secrets, looks_like_key, public_url

KEY = "planted-secret-without-a-known-form"


@dataclass
class Response:
    status_code: int
    text: str
    headers: dict[str, str] = field(default_factory=dict)


class HTTPStatusError(Exception):
    def __init__(self, response: Response) -> None:
        super().__init__("an HTTP library's words")
        self.response = response


class APIError(Exception):
    status_code = 500


def answered(status: int, body: str, headers: dict[str, str] | None = None) -> ProviderError:
    """LiteLLM's exception over that of the HTTP library, as a ProviderError."""
    try:
        try:
            raise HTTPStatusError(Response(status, body, headers or {}))
        except HTTPStatusError as error:
            raise APIError(f"litellm.APIError: {body}") from error
    except APIError as error:
        return classify(error, Secrets([KEY]), 60.0)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, "", "bad_key"),
        (403, "", "bad_key"),
        (404, "", "unknown_model"),
        (402, "", "no_credit"),
        (413, "", "too_long"),
        (400, "", "bad_request"),
        (422, "", "bad_request"),
        (418, "", "bad_request"),
        (400, '{"error": {"code": "context_length_exceeded"}}', "too_long"),
        (400, '{"error": {"message": "prompt is too long: 250000 tokens > 200000 maximum"}}', "too_long"),
        (400, '{"error": {"message": "The input token count (2000000) exceeds the maximum"}}', "too_long"),
        (400, '{"error": {"message": "API key not valid. Please pass a valid API key."}}', "bad_key"),
        (400, '{"error": {"message": "Your credit balance is too low"}}', "no_credit"),
        (400, '{"error": {"message": "The model `gpt-9` does not exist"}}', "unknown_model"),
        (429, '{"error": {"code": "insufficient_quota"}}', "no_credit"),
    ],
)
def test_what_will_fail_again_is_permanent_and_says_what_to_do(status: int, body: str, kind: str) -> None:
    error = answered(status, body)
    assert isinstance(error, PermanentError)
    assert (error.kind, error.status) == (kind, status)
    assert error.help
    assert str(error).startswith(f"the server answered {status}")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (408, "timeout"),
        (409, "conflict"),
        (425, "conflict"),
        (429, "rate_limit"),
        (500, "server_error"),
        (502, "server_error"),
        (503, "overloaded"),
        (504, "server_error"),
        (529, "overloaded"),
    ],
)
def test_what_may_pass_is_transient(status: int, kind: str) -> None:
    error = answered(status, "<html>\n<body>busy</body></html>")
    assert isinstance(error, TransientError)
    assert (error.kind, error.status) == (kind, status)
    assert str(error) == f"the server answered {status}: an HTML page"


@pytest.mark.parametrize(
    ("headers", "body", "expected"),
    [
        ({"retry-after": "7"}, "", 7.0),
        ({"retry-after": "0.25"}, "", 0.25),
        ({"retry-after": "7", "retry-after-ms": "6500"}, "", 6.5),
        ({"retry-after": "Thu, 01 Jan 1970 00:16:50 GMT"}, "", 10.0),
        ({"retry-after": "Thu, 01 Jan 1970 00:00:00 GMT"}, "", 0.0),
        ({"retry-after": "soon"}, "", None),
        ({"retry-after": "-5"}, "", None),
        ({"retry-after": "nan"}, "", None),
        ({}, '{"error": {"details": [{"retryDelay": "34.5s"}]}}', 34.5),
        ({}, "Please try again in 1.5s.", 1.5),
        ({}, "Please try again in 20ms.", 0.02),
        ({}, "Please try again in 1m3.5s.", 63.5),
        ({}, "Please retry after 12 seconds", 12.0),
        ({}, "Please try again later", None),
    ],
)
def test_how_long_the_server_asks_to_wait(headers: dict[str, str], body: str, expected: float | None) -> None:
    assert retry_after_s(headers, body, now_s=1000.0) == expected


@given(st.text(max_size=300), st.integers(400, 599))
def test_any_body_is_classified_and_shown_short_without_the_key(body: str, status: int) -> None:
    error = answered(status, json.dumps({"error": {"message": f"{body} {KEY} {body}"}}))
    assert KEY not in str(error)
    assert len(str(error)) < 400
    assert error.status == status


@pytest.mark.parametrize(
    "text",
    [
        f"the key {KEY} is wrong",
        "Incorrect API key provided: sk-proj-abcdefghijklmnop",
        "Authorization: Bearer abcdefghijklmnop",
        "https://user:abcdefghijklmnop@host/v1 refused",
        "GET https://host/v1beta/models?key=AIzaSyabcdefghijklmnop",
        "AKIAABCDEFGHIJKLMNOP is not authorized",
    ],
)
def test_secrets_are_struck_out(text: str) -> None:
    shown = Secrets([KEY]).strike(text)
    assert KEY not in shown
    assert "abcdefghijklmnop" not in shown.lower()
    assert STRUCK in shown or "https://host" in shown


def test_the_environment_tells_what_is_secret() -> None:
    environ = {"OPENAI_API_KEY": "first-value", "AWS_SECRET_ACCESS_KEY": "second-value", "HOME": "/home/someone"}
    shown = Secrets.of(environ, "third-value").strike("first-value second-value third-value /home/someone")
    assert shown == f"{STRUCK} {STRUCK} {STRUCK} /home/someone"


@pytest.mark.parametrize(
    ("text", "is_key"),
    [
        ("OPENAI_API_KEY", False),
        ("MY_VERY_LONG_VARIABLE_NAME_FOR_A_KEY", False),
        ("key", False),
        ("sk-abcdefghijkl", True),
        ("AIzaSyabcdefghijklmnop", True),
        ("0123456789abcdef0123456789abcdef", True),
        ("gsk_abcdefghijklmnop", True),
    ],
)
def test_a_key_is_told_from_the_name_of_a_variable(text: str, is_key: bool) -> None:
    assert looks_like_key(text) is is_key


def test_a_url_is_shown_without_credentials() -> None:
    assert public_url("https://user:pass@host:8000/v1?key=x#y") == "https://host:8000/v1"
