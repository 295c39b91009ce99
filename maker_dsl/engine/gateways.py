"""The gateways of a run: its own, and those of the profiles that its steps name.

Used by the step loop. Each has limits, retries and a price of its own; budget and ledger are the run's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from maker_dsl.providers.gateway import Gateway
from maker_dsl.task import ProfileName


@dataclass(frozen=True, slots=True)
class Gateways:
    """The run's own gateway, and others by the names that the task has for them."""

    main: Gateway
    named: Mapping[str, Gateway] = field(default_factory=dict)

    def of(self, profile: ProfileName | None) -> Gateway:
        """What a step's samples go through: the run's own gateway where nothing stands for the name."""
        return self.main if profile is None else self.named.get(profile.name, self.main)

    def named_so(self, name: str | None) -> Gateway:
        """What samples of a profile by its name go through; the run's own gateway for None."""
        return self.main if name is None else self.named.get(name, self.main)

    @property
    def answer_at_once(self) -> bool:
        """Whether no call ever waits, so that calls side by side gain nothing."""
        return all(one.provider.answers_at_once for one in (self.main, *self.named.values()))

    async def close(self) -> None:
        """Close every provider, each once."""
        for gateway in {id(one): one for one in (self.main, *self.named.values())}.values():
            await gateway.close()
