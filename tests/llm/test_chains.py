"""Chains of models, and how providers are doing: the circuit breaker and the budget for trying again."""

from collections.abc import AsyncIterator

import pytest

from famulus.kernel.errors import ConfigurationError
from famulus.llm.choose import open_model
from famulus.llm.errors import ModelKeyRefused, ModelRateLimited, ModelStreamCut, ModelUnavailable
from famulus.llm.health import BUDGET, FAILURES, REST, Health, Healths
from famulus.llm.opened import Models
from famulus.llm.protocol import Model
from famulus.llm.retry import RetryPolicy
from famulus.ops.checks import check_providers
from tests.llm.streams import items_of, text_of
from tests.support.fake_provider import CUT, FakeProvider, delta

ONCE = RetryPolicy(attempts=1)


@pytest.fixture
async def provider() -> AsyncIterator[FakeProvider]:
    async with FakeProvider() as running:
        yield running


def opened(provider: FakeProvider, choice: str, healths: Healths | None = None) -> Model:
    return open_model(
        choice,
        base_url=provider.base_url,
        openai_api_key="sk-x",
        anthropic_base_url=provider.base_url,
        anthropic_api_key="sk-a",
        retry=ONCE,
        healths=healths,
    )


async def test_the_next_answers_where_the_first_cannot_begin(provider: FakeProvider) -> None:
    model = opened(provider, "openai:a | anthropic:b | offline")
    assert (model.kind, model.name) == ("openai", "a | anthropic:b | offline:offline")
    provider.fail(401)
    provider.reply("From b.")
    assert text_of(await items_of(model)) == "From b."
    assert [request.path for request in provider.requests] == ["/v1/chat/completions", "/v1/messages"]
    for _ in range(2):
        provider.fail(401)
    assert text_of(await items_of(model)), "and without any model, what is there without one"
    await model.close()


async def test_the_last_one_s_failure_is_told(provider: FakeProvider) -> None:
    model = opened(provider, "openai:a | anthropic:b")
    provider.fail(429, retry_after=60)
    provider.fail(401)
    with pytest.raises(ModelKeyRefused):
        await items_of(model)
    await model.close()


async def test_nobody_goes_on_with_what_another_has_begun(provider: FakeProvider) -> None:
    model = opened(provider, "openai:a | anthropic:b")
    provider.raw(delta(content="Half"), CUT)
    with pytest.raises(ModelStreamCut):
        await items_of(model)
    assert len(provider.requests) == 1
    await model.close()


@pytest.mark.parametrize(
    "choice", ["openai:a |", "| offline", "openai:a | nonsense", " | ".join(["offline"] * 6)]
)
def test_a_chain_that_cannot_be(choice: str) -> None:
    with pytest.raises(ConfigurationError, match="FAMULUS_MODEL"):
        open_model(choice, openai_api_key="sk-x")


async def test_a_provider_in_trouble_is_left_alone_and_readiness_says_so(provider: FakeProvider) -> None:
    healths = Healths()
    model = opened(provider, "openai:a | anthropic:b", healths)
    models = Models(lambda _: model, "openai:a", healths)
    assert (await check_providers(models)).state == "ok"
    for _ in range(FAILURES):
        provider.fail(503)
        provider.reply("From b.")
        await items_of(model)
    before = len(provider.requests)
    assert text_of(await items_of(model)) == "Hello from the fake provider."
    assert [request.path for request in provider.requests[before:]] == ["/v1/messages"]
    state = await check_providers(models)
    assert (state.name, state.state) == ("model_providers", "degraded")
    assert state.detail.startswith("openai: left alone for")
    await model.close()


def test_the_breaker_opens_rests_and_tries_again() -> None:
    now = [0.0]
    health = Health("x", clock=lambda: now[0])
    for _ in range(FAILURES):
        health.admit()
        health.failed(ModelUnavailable())
    assert health.state == "open"
    with pytest.raises(ModelUnavailable) as refused:
        health.admit()
    assert refused.value.retry_after == REST
    now[0] = REST
    health.admit()
    with pytest.raises(ModelUnavailable):
        health.admit()  # one at a time
    health.failed(ModelUnavailable())
    assert health.left() == REST * 2, "it rests longer"
    now[0] += REST * 2
    health.admit()
    health.succeeded()
    assert (health.state, health.failures, health.rest) == ("closed", 0, REST)


def test_whoever_goes_away_leaves_the_way_free() -> None:
    now = [0.0]
    health = Health("x", clock=lambda: now[0])
    for _ in range(FAILURES):
        health.failed(ModelUnavailable())
    now[0] = REST
    health.admit()
    health.gave_up()
    health.admit()


@pytest.mark.parametrize("error", [ModelKeyRefused(), ModelRateLimited()])
def test_what_says_nothing_of_the_server_does_not_count(error: Exception) -> None:
    health = Health("x")
    for _ in range(FAILURES * 2):
        health.failed(error)  # type: ignore[arg-type]
    assert health.state == "closed"


def test_trying_again_is_paid_for() -> None:
    health = Health("x")
    assert sum(health.may_retry() for _ in range(100)) == BUDGET
    for _ in range(5):
        health.admit()
    assert health.may_retry()
    assert not health.may_retry()
