"""The four wire formats through LiteLLM itself, switched by profile alone. The one file here that loads LiteLLM."""

from __future__ import annotations

import asyncio
import os
import tomllib
from pathlib import Path
from typing import Any

import pytest
from simulation_lab import countdown

from maker_dsl.simulation.rates import Rates
from maker_dsl.simulation.server import SimulationServer

pytestmark = [
    pytest.mark.long,
    pytest.mark.filterwarnings("ignore"),
]

PROFILES = sorted((Path(__file__).parent / "profiles").glob("*.toml"))
NAMES = [path.stem for path in PROFILES]
MANY = ("simulated_gemini", "simulated_openai")
MESSAGES = [
    {"role": "system", "content": "You count down."},
    {"role": "user", "content": "The number is 20. Subtract one."},
]


@pytest.fixture(scope="module")
def litellm() -> Any:
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    import litellm

    return litellm


def complete(litellm: Any, profile: Path, rates: Rates, **more: object) -> Any:
    """One call to a server of its own by the profile's words."""
    settings = tomllib.loads(profile.read_text())

    async def main() -> Any:
        async with SimulationServer(countdown(20), rates) as server:
            return await litellm.acompletion(
                model=settings["model"],
                api_base=settings["api_base"].replace("http://127.0.0.1:8765", server.url),
                api_key="none",
                messages=MESSAGES,
                temperature=settings["temperature"],
                max_tokens=settings["max_tokens"],
                num_retries=0,
                max_retries=0,
                timeout=20,
                **more,
            )

    return asyncio.run(main())


@pytest.mark.parametrize("profile", PROFILES, ids=NAMES)
def test_a_right_reply_arrives_with_its_usage(litellm: Any, profile: Path) -> None:
    response = complete(litellm, profile, Rates())
    (choice,) = response.choices
    assert (choice.message.content, choice.finish_reason) == ("next = 19", "stop")
    assert (response.usage.prompt_tokens, response.usage.completion_tokens) == (12, 3)


@pytest.mark.parametrize("profile", [path for path in PROFILES if path.stem in MANY], ids=MANY)
def test_several_replies_arrive_in_one_answer(litellm: Any, profile: Path) -> None:
    response = complete(litellm, profile, Rates(), n=3)
    assert [choice.message.content for choice in response.choices] == ["next = 19"] * 3
    assert response.usage.completion_tokens == 9


@pytest.mark.parametrize("profile", PROFILES, ids=NAMES)
def test_an_overlong_reply_ends_at_the_limit(litellm: Any, profile: Path) -> None:
    response = complete(litellm, profile, Rates(overlong=1))
    assert response.choices[0].finish_reason == "length"
    assert response.usage.completion_tokens == 750


@pytest.mark.parametrize("profile", PROFILES, ids=NAMES)
def test_faults_arrive_as_errors(litellm: Any, profile: Path) -> None:
    with pytest.raises(litellm.RateLimitError):
        complete(litellm, profile, Rates(error_429=1))
    with pytest.raises(litellm.InternalServerError):
        complete(litellm, profile, Rates(error_500=1))
    with pytest.raises((litellm.InternalServerError, litellm.APIConnectionError)):
        complete(litellm, profile, Rates(dropped=1))
