"""LiteLLM takes seconds to load: nothing short of opening a provider loads it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

LOADS_NO_LITELLM = """
import sys
import maker_dsl, maker_dsl.providers.gateway, maker_dsl.providers.open, maker_dsl.providers.scripted
from maker_dsl.diagnostics import Problems
from maker_dsl.providers.profiles import load_profile
problems = Problems()
assert load_profile("openai", ["max_tokens=5"], [], {"OPENAI_API_KEY": "a key"}, problems) is not None
print(sorted({name.partition(".")[0] for name in sys.modules} & {"litellm", "openai", "httpx", "aiohttp"}))
"""


def test_loading_a_profile_does_not_load_litellm(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADS_NO_LITELLM], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.stderr == ""
    assert done.stdout == "[]\n"


OPENS_QUIETLY = """
import logging, os, sys, warnings
logging.basicConfig(level=logging.DEBUG)
os.environ["LITELLM_LOG"] = "DEBUG"
warnings.simplefilter("error")
from maker_dsl.providers.litellm_port import open_litellm
from maker_dsl.providers.profile import Profile
provider = open_litellm(Profile(name="p", model="openai/gpt-4.1-mini", api_key_env="KEY"), {"KEY": "sk-planted-secret"})
print(provider.price, provider.samples_per_call, "FROM_DOTENV" in os.environ)
"""


@pytest.mark.long
def test_opening_a_provider_prints_nothing_and_reads_no_env_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("FROM_DOTENV=1\n")
    done = subprocess.run(
        [sys.executable, "-c", OPENS_QUIETLY], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "Price(input=0.4, output=1.6, cached_input=0.1) 8 False\n"
    assert "planted" not in done.stderr
    assert "LiteLLM" not in done.stderr
