"""Profiles: found, read, checked; what is wrong with one is said where it is written, and keys are never shown."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from golden import Case, cases
from hypothesis import given
from hypothesis import strategies as st

from maker_dsl.bundled import bundled_names
from maker_dsl.diagnostics import Problems, pages
from maker_dsl.diagnostics.text import render_all
from maker_dsl.providers.profile import Profile
from maker_dsl.providers.profiles import load_profile, profile_directories, profile_names

HERE = Path(__file__).parent
ENVIRON = {"OPENAI_API_KEY": "sk-planted-secret-1234567890"}
BUNDLED = {
    "simulated", "openai", "anthropic", "gemini", "azure", "bedrock", "mistral", "groq", "openrouter", "ollama",
    "vllm", "llamacpp", "openai-compatible",
}  # fmt: skip
PLANTED = ("abcdef", "ghijkl", "sk-proj", "password", "planted")


def load(
    tmp_path: Path, text: str | None = None, name: str = "mine", overrides: tuple[str, ...] = ()
) -> tuple[Profile | None, Problems]:
    """A profile of that text, with no other profiles around but the bundled ones."""
    directory = tmp_path / "providers"
    directory.mkdir(exist_ok=True)
    if text is not None:
        (directory / "mine.toml").write_text(text, encoding="utf-8")
    problems = Problems()
    return load_profile(name, overrides, [directory], ENVIRON, problems), problems


@pytest.mark.parametrize("case", cases(HERE / "cases"))
def test_what_is_wrong_with_a_profile_is_said_in_its_words(
    case: Case, golden: Callable[[Case, str], None], tmp_path: Path
) -> None:
    name = case.input("provider").strip() if case.has("provider") else "mine"
    overrides = tuple(case.input("overrides").splitlines()) if case.has("overrides") else ()
    profile, problems = load(tmp_path, case.input("toml") if case.has("toml") else None, name, overrides)
    output = render_all(problems)
    assert profile is None
    assert problems.has_errors
    assert not any(secret in output for secret in PLANTED)
    golden(case, output)


@pytest.mark.parametrize("code", [code for code in pages.codes() if "MK601" <= code <= "MK612" or code == "MK616"])
def test_a_page_shows_what_is_wrong_and_right(code: str, tmp_path: Path) -> None:
    page = pages.page(code)
    assert page is not None
    for example, expected in ((page.wrong, {code}), (page.right, set())):
        if page.language == "toml":
            _, problems = load(tmp_path, example)
        else:
            words = shlex.split(example)
            name = words[words.index("--provider") + 1]
            overrides = tuple(words[at + 1] for at, word in enumerate(words) if word == "--override")
            environ_free = Problems()
            load_profile(name, overrides, [], None, environ_free)
            problems = environ_free
        assert {problem.code for problem in problems} == expected


def test_every_code_in_use_has_a_page_and_a_case() -> None:
    package = Path(pages.__file__).parents[1]
    used = {
        code
        for path in (package / "providers").glob("*.py")
        for code in re.findall(r'"(MK6[0-4]\d)"', path.read_text())
    }
    shown = set(re.findall(r"error\[(MK\d+)\]", (HERE / "cases" / "profiles.md").read_text()))
    assert used <= set(pages.codes())
    assert used - {"MK613"} <= shown  # MK613 needs LiteLLM: test_litellm_port.py


@pytest.mark.parametrize("name", sorted(BUNDLED))
def test_every_bundled_profile_loads_when_its_key_variable_is_set(name: str) -> None:
    problems = Problems()
    profile = load_profile(name, [], [], None, problems)
    assert profile is not None, render_all(problems)
    environ = {profile.api_key_env: "a key"} if profile.api_key_env else {}
    assert load_profile(name, [], [], environ, problems) is not None
    assert not len(problems)
    assert profile.name == name


def test_exactly_the_promised_profiles_are_bundled() -> None:
    assert set(bundled_names("providers")) == BUNDLED


def test_a_profile_of_the_working_directory_hides_a_bundled_one(tmp_path: Path) -> None:
    (tmp_path / "providers").mkdir()
    (tmp_path / "providers" / "openai.toml").write_text('model = "openai/mine"')
    problems = Problems()
    profile = load_profile("openai", [], profile_directories(tmp_path), ENVIRON, problems)
    assert profile is not None
    assert profile.model == "openai/mine"
    assert profile_names(profile_directories(tmp_path)).count("openai") == 1


def test_overrides_are_toml_values_or_bare_words(tmp_path: Path) -> None:
    overrides = (
        "model=openai/other", "max_tokens = 20", "limits.concurrency=3", 'params.stop=["a", "b"]',
        "temperature=default", 'api_version="2024"', "params.extra.deep=true",
    )  # fmt: skip
    profile, problems = load(tmp_path, 'model = "openai/x"', overrides=overrides)
    assert profile is not None, render_all(problems)
    assert (profile.model, profile.max_tokens, profile.limits.concurrency) == ("openai/other", 20, 3)
    assert profile.params == {"stop": ["a", "b"], "extra": {"deep": True}}
    assert not profile.sends_temperature


def test_the_public_form_has_every_setting_and_no_secret(tmp_path: Path) -> None:
    text = """
        model = "openai/x"
        api_key_env = "OPENAI_API_KEY"
        api_base = "https://user:password@host:8000/v1?key=abcdef"
        [params]
        top_p = 0.5
        extra_headers = { Authorization = "Bearer abcdefgh", X-Team = "ghijkl" }
        extra_body = { token = "abcdef", max_tokens = 5, url = "https://ghijkl@host/path" }
    """
    profile, problems = load(tmp_path, text)
    assert profile is not None, render_all(problems)
    public = profile.public()
    assert not any(secret in str(public) for secret in PLANTED)
    assert public["api_base"] == "https://host:8000/v1"
    assert public["params"]["top_p"] == 0.5
    assert public["params"]["extra_body"]["max_tokens"] == 5
    assert public["timeout_s"] == 120.0
    assert "abcdef" in " ".join(profile.secret_values())


def test_a_real_provider_always_has_a_concurrency_limit(tmp_path: Path) -> None:
    real, _ = load(tmp_path, 'model = "openai/x"')
    simulated, _ = load(tmp_path, 'provider = "simulated"')
    assert real is not None
    assert simulated is not None
    assert real.limits_of_calls.concurrency == 64
    assert simulated.limits_of_calls.concurrency is None


@given(
    text=st.text(max_size=200)
    | st.lists(
        st.sampled_from(
            ["model", "=", '"a"', "[limits]", "\n", "{x=1,", "y=[2,]}", "'''", '"""', "#", "\\", "[[a]]", ".b"]
        )
    ).map(" ".join),
    overrides=st.lists(
        st.text(max_size=30) | st.sampled_from(["a=1", "limits=2", "limits.x.y=3", "model={", "a=1\nb=2"])
    ),
)
def test_no_text_makes_the_loader_fail(
    text: str, overrides: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "fuzz.toml"
    path.write_text(text, encoding="utf-8", errors="replace")
    problems = Problems()
    profile = load_profile(str(path), overrides, [], {}, problems)
    assert (profile is None) == problems.has_errors
    render_all(problems)


def test_a_constraint_can_be_turned_off_for_one_run(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('model = "openai/x"\nconstrain = "require"\nconstrain_as = "vllm"\n')
    for mode, has_one in (("off", False), ("prefer", True)):
        problems = Problems()
        profile = load_profile(str(path), [f"constrain={mode}"], [], None, problems)
        assert profile is not None, render_all(problems)
        assert (profile.constraint is not None) == has_one
        assert not len(problems)


def test_a_grammar_has_its_place_to_itself(tmp_path: Path) -> None:
    text = 'model = "openai/x"\nconstrain = "require"\nconstrain_as = "fireworks"\n[params]\nresponse_format = {}\n'
    _, problems = load(tmp_path, text)
    assert [problem.code for problem in problems] == ["MK616"]
    _, problems = load(tmp_path, text.replace("fireworks", "vllm"))
    assert not len(problems)
