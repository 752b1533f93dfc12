"""Backoff, with a clock and a dice of our own."""

import pytest

from famulus.llm.errors import ModelError, ModelKeyRefused, ModelRateLimited, ModelUnavailable
from famulus.llm.retry import RetryPolicy, retrying


class Attempts:
    """Fails as told, then succeeds; keeps the time that the waits would have taken."""

    def __init__(self, *failures: ModelError, takes: float = 0.0) -> None:
        self.failures = list(failures)
        self.takes = takes
        self.waits: list[float] = []
        self.now = 0.0
        self.made = 0

    async def attempt(self) -> str:
        self.made += 1
        self.now += self.takes
        if self.failures:
            raise self.failures.pop(0)
        return "done"

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds

    async def run(self, policy: RetryPolicy, chance: float = 1.0) -> str:
        return await retrying(
            self.attempt, policy, sleep=self.sleep, chance=lambda: chance, clock=lambda: self.now
        )


async def test_waits_double_up_to_a_limit():
    attempts = Attempts(*(ModelUnavailable() for _ in range(5)))
    policy = RetryPolicy(attempts=6, first_wait=1, longest_wait=5, budget=100)
    assert await attempts.run(policy) == "done"
    assert attempts.waits == [1, 2, 4, 5, 5]


@pytest.mark.parametrize(("chance", "wait"), [(0.0, 0.0), (0.25, 0.125), (0.5, 0.25)])
async def test_jitter_is_full(chance: float, wait: float):
    attempts = Attempts(ModelUnavailable())
    await attempts.run(RetryPolicy(first_wait=0.5), chance)
    assert attempts.waits == [wait]


async def test_the_last_error_is_raised_after_all_attempts():
    failures = [ModelUnavailable(str(number)) for number in range(9)]
    attempts = Attempts(*failures)
    with pytest.raises(ModelUnavailable, match="2"):
        await attempts.run(RetryPolicy(attempts=3))
    assert attempts.made == 3


async def test_what_is_not_worth_it_is_raised_at_once():
    attempts = Attempts(ModelKeyRefused())
    with pytest.raises(ModelKeyRefused):
        await attempts.run(RetryPolicy())
    assert attempts.waits == []


async def test_the_providers_wish_is_honoured_with_jitter_on_top():
    attempts = Attempts(ModelRateLimited(retry_after=7))
    await attempts.run(RetryPolicy(first_wait=0.5), 0.5)
    assert attempts.waits == [7.25]


async def test_a_wish_that_is_too_long_ends_it():
    attempts = Attempts(ModelRateLimited(retry_after=600))
    with pytest.raises(ModelRateLimited) as raised:
        await attempts.run(RetryPolicy())
    assert (raised.value.retry_after, attempts.waits) == (600, [])


async def test_no_attempt_begins_after_the_budget():
    attempts = Attempts(*(ModelUnavailable() for _ in range(9)), takes=20)
    with pytest.raises(ModelUnavailable):
        await attempts.run(RetryPolicy(attempts=9, first_wait=1, budget=30))
    assert attempts.made == 2
