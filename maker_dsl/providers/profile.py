"""A provider's configuration, checked: what a profile's TOML says.

Made by `profiles.load_profile`; holds the names of key variables and never a key. `public` is what a journal may see.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PrivateAttr
from pydantic_core import PydanticCustomError

from maker_dsl.diagnostics import Span
from maker_dsl.providers.constraint import Constrain, ConstrainMode, Dialect
from maker_dsl.providers.gateway import Limits
from maker_dsl.providers.port import Price
from maker_dsl.providers.retry import RetryPolicy
from maker_dsl.providers.secrets import public_url, public_value, secret_values
from maker_dsl.simulation.rates import Rates

DEFAULT_CONCURRENCY = 64


def _temperature(value: object) -> object:
    if value == "default" or (isinstance(value, int | float) and not isinstance(value, bool)):
        return value
    raise PydanticCustomError("temperature_type", 'a number from 0 to 2, or `"default"`')


def _temperature_range(value: float | Literal["default"]) -> float | Literal["default"]:
    if isinstance(value, float) and not 0.0 <= value <= 2.0:
        raise PydanticCustomError("temperature_range", "from 0 to 2")
    return value


Temperature = Annotated[float | Literal["default"], BeforeValidator(_temperature), AfterValidator(_temperature_range)]
PositiveInt = Annotated[int, Field(ge=1, lt=2**63)]
PositiveSeconds = Annotated[float, Field(gt=0.0, allow_inf_nan=False)]
Usd = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class LimitSettings(_Table):
    """`[limits]`: None means no limit, except for concurrency (see `Profile.limits_of_calls`)."""

    concurrency: PositiveInt | None = None
    requests_per_minute: PositiveInt | None = None
    tokens_per_minute: PositiveInt | None = None


class PriceSettings(_Table):
    """`[price]`: USD per million tokens."""

    input: Usd
    output: Usd
    cached_input: Usd | None = None


class RetrySettings(_Table):
    """`[retry]`: how long a request is tried."""

    attempts: PositiveInt = 12
    max_elapsed_s: PositiveSeconds = 600.0
    first_backoff_s: PositiveSeconds = 0.5
    max_backoff_s: PositiveSeconds = 60.0


class VoteDefaults(_Table):
    """`[vote]`: what holds where neither the command line nor the task says anything."""

    ahead_by: PositiveInt | None = None
    max_samples: PositiveInt | None = None


class Profile(_Table):
    """One provider as configured. `name` is what people call it; the rest are the keys of the TOML file."""

    name: str
    provider: Literal["litellm", "simulated"] = "litellm"
    model: str | None = None
    api_base: str | None = None
    api_key_env: str | None = None
    api_version: str | None = None
    temperature: Temperature | None = None
    first_temperature: Annotated[float, Field(ge=0.0, le=2.0, allow_inf_nan=False)] | None = None
    max_tokens: PositiveInt | None = None
    context_tokens: PositiveInt | None = None
    timeout_s: PositiveSeconds = 120.0
    samples_per_call: PositiveInt | None = None
    limits: LimitSettings = LimitSettings()
    price: PriceSettings | None = None
    retry: RetrySettings = RetrySettings()
    vote: VoteDefaults = VoteDefaults()
    constrain: ConstrainMode = "off"
    constrain_as: Dialect | None = None
    params: dict[str, Any] = {}
    simulate: Rates = Rates()
    _spans: dict[str, Span] = PrivateAttr(default_factory=dict)

    def located(self, spans: dict[str, Span]) -> Profile:
        """The same profile, knowing where some of its keys are written."""
        self._spans.update(spans)
        return self

    def span_of(self, key: str) -> Span | None:
        """Where a key's value is written, for what is found out only when the provider is opened."""
        return self._spans.get(key)

    @property
    def sends_temperature(self) -> bool:
        """Whether calls carry a temperature at all: `temperature = "default"` stands for a model that refuses one."""
        return self.temperature != "default"

    @property
    def limits_of_calls(self) -> Limits:
        """The limits for the gateway; a real provider always has one on concurrency."""
        concurrency = self.limits.concurrency
        if concurrency is None and self.provider != "simulated":
            concurrency = DEFAULT_CONCURRENCY
        return Limits(concurrency, self.limits.requests_per_minute, self.limits.tokens_per_minute)

    @property
    def retry_policy(self) -> RetryPolicy:
        """The retries for the gateway."""
        retry = self.retry
        return RetryPolicy(retry.attempts, retry.max_elapsed_s, retry.first_backoff_s, retry.max_backoff_s)

    @property
    def own_price(self) -> Price | None:
        """The price the profile states."""
        price = self.price
        return None if price is None else Price(price.input, price.output, price.cached_input)

    @property
    def constraint(self) -> Constrain | None:
        """How replies are held to their grammar; None where they are not."""
        if self.constrain == "off" or self.constrain_as is None:
            return None
        return Constrain(self.constrain, self.constrain_as)

    def public(self) -> dict[str, Any]:
        """All settings, defaults too, as JSON values without secrets: for the journal and for people."""
        data = self.model_dump(mode="json", exclude_none=True)
        if self.api_base is not None:
            data["api_base"] = public_url(self.api_base)
        if self.params:
            data["params"] = public_value("params", self.params)
        return data

    def secret_values(self) -> list[str]:
        """Values inside the profile that nobody may see: credentials in its URL, secret parameters, headers."""
        return secret_values(self.api_base) + secret_values(self.params)
