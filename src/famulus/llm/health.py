"""How a provider's server is doing, as far as requests to it show: a circuit breaker and a budget for trying again.

    closed ── 5 failures in a row ─▶ open, for 15 s, twice as long each time up to 2 min
    open ── its time is up ─▶ half open: one request is let through ── it succeeds ─▶ closed; it fails ─▶ open

While it is open nothing is asked, so that whoever waits hears of it at once, or the next model of a chain answers.
Trying again is paid from a budget that requests fill: a server in trouble is not asked thrice as often because of it.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from famulus.llm.errors import ModelError, ModelRateLimited, ModelUnavailable

FAILURES = 5
REST, LONGEST_REST = 15.0, 120.0
"""Seconds."""
BUDGET = 10.0
PER_REQUEST = 0.2
"""What a request adds to the budget, of which a further attempt takes 1."""
State = Literal["closed", "open", "half_open"]


@dataclass(slots=True)
class Health:
    """One provider's."""

    name: str
    clock: Callable[[], float] = time.monotonic
    budget: float = BUDGET
    failures: int = 0
    """In a row."""
    rest: float = REST
    _open_until: float | None = None
    _trying: bool = False

    @property
    def state(self) -> State:
        """Whether requests are let through."""
        if self._open_until is None:
            return "closed"
        return "open" if self.clock() < self._open_until else "half_open"

    def left(self) -> float:
        """Seconds until a request is let through again."""
        return max(0.0, (self._open_until or 0.0) - self.clock()) if self._open_until is not None else 0.0

    def admit(self) -> None:
        """Let a request through, or raise ModelUnavailable."""
        if self.state == "open" or (self.state == "half_open" and self._trying):
            raise ModelUnavailable(
                "The model's server has failed several times in a row and is left alone for a moment.",
                retry_after=max(1.0, self.left()),
            )
        self._trying = self.state == "half_open"
        self.budget = min(BUDGET, self.budget + PER_REQUEST)

    def may_retry(self) -> bool:
        """Whether there is something left for a further attempt, which this pays."""
        if self.budget < 1 or self._trying or self.failures + 1 >= FAILURES:
            return False
        self.budget -= 1
        return True

    def succeeded(self) -> None:
        """The server has begun to answer."""
        self.failures, self.rest, self._open_until, self._trying = 0, REST, None, False

    def failed(self, error: ModelError) -> None:
        """A request has failed. What the request itself is to blame for, or the server's patience, says nothing."""
        if not error.retry or isinstance(error, ModelRateLimited):
            self._trying = False
            return
        self.failures += 1
        if self._trying or self.failures >= FAILURES:
            if self._trying:
                self.rest = min(LONGEST_REST, self.rest * 2)
            self._open_until = self.clock() + self.rest
        self._trying = False

    def gave_up(self) -> None:
        """Whoever asked has gone before anything was known."""
        self._trying = False


@dataclass(slots=True)
class Healths:
    """Those of all providers that this process has asked."""

    known: dict[str, Health] = field(default_factory=dict[str, Health])

    def get(self, name: str, address: str | None) -> Health:
        """The one of a provider at an address; None is its own."""
        key = f"{name} {address or ''}"
        if key not in self.known:
            self.known[key] = Health(name)
        return self.known[key]
