"""How much a model takes in: the profile's word, else LiteLLM's data, read without LiteLLM."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from maker_dsl.providers import window
from maker_dsl.providers.profile import Profile
from maker_dsl.providers.window import Window, window_of

DATA = {
    "gpt-x": {"litellm_provider": "openai", "max_input_tokens": 1000, "max_output_tokens": 100},
    "azure/gpt-x": {"litellm_provider": "azure", "max_input_tokens": 900},
    "odd": {"litellm_provider": "openai", "max_input_tokens": "many", "max_output_tokens": True},
}


def found(model: str | None, **settings: Any) -> Window:
    return window_of(Profile(name="p", model=model, **settings))


@pytest.fixture
def data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(window, "_model_data", lambda: DATA)


@pytest.mark.usefixtures("data")
def test_a_model_is_known_by_its_whole_name_or_by_that_behind_its_own_provider() -> None:
    assert found("openai/gpt-x") == found("gpt-x") == Window(1000, 100)
    assert found("azure/gpt-x") == Window(900, None)
    assert found("groq/gpt-x") == Window()
    assert found("openai/other") == found("odd") == found(None) == Window()


@pytest.mark.usefixtures("data")
def test_what_the_profile_says_goes_before_what_is_known() -> None:
    assert found("openai/gpt-x", context_tokens=5) == Window(5, 100)
    assert found("openai/other", context_tokens=5) == Window(5)
    assert found(None, provider="simulated", context_tokens=5) == Window(5)
    assert found("gpt-x", provider="simulated") == Window()


def test_litellms_own_data_is_read_without_litellm() -> None:
    code = (
        "import sys\n"
        "from maker_dsl.providers.profile import Profile\n"
        "from maker_dsl.providers.window import window_of\n"
        "window = window_of(Profile(name='p', model='openai/gpt-4.1-mini'))\n"
        "assert window.context >= 128_000 and window.output >= 4_096, window\n"
        "assert not any(name.split('.')[0] == 'litellm' for name in sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_without_litellm_nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    window._model_data.cache_clear()
    monkeypatch.setattr(window, "find_spec", lambda _name: None)
    assert found("openai/gpt-4.1-mini") == Window()
    window._model_data.cache_clear()
