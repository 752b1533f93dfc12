"""What asking a model costs: by the operator's word, by the list, or not known."""

from decimal import Decimal

import pytest

from famulus.kernel.errors import ConfigurationError
from famulus.kernel.prices import ModelPrice
from famulus.kernel.settings import load_settings
from famulus.llm.prices import Prices
from famulus.llm.protocol import Usage

USAGE = Usage(1_000_000, 100_000, 400_000)


async def cost(
    choice: str, usage: Usage = USAGE, base_url: str | None = None, **own: ModelPrice
) -> Decimal | None:
    prices = Prices({name.replace("_", ":"): price for name, price in own.items()}, base_url)
    return (await prices.of(choice))(usage)


async def test_the_list_knows_models_of_providers() -> None:
    whole, fresh = (
        await cost("openai:gpt-5.4-mini"),
        await cost("openai:gpt-5.4-mini", Usage(600_000, 100_000)),
    )
    dated = await cost("openai:gpt-5.4-mini-2026-03-17", Usage(600_000, 100_000))

    assert fresh is not None
    assert whole is not None
    assert 0 < fresh < whole, "what was remembered costs, too"
    assert whole < (await cost("openai:gpt-5.4-mini", Usage(1_000_000, 100_000)) or 0), "but less"
    assert dated == fresh
    assert await cost("anthropic:claude-haiku-4-5") is not None


async def test_the_list_knows_compatible_servers_by_their_address() -> None:
    assert await cost("compatible:mistral-small-latest", base_url="https://api.mistral.ai/v1")
    assert await cost("compatible:mistral-small-latest", base_url="http://localhost:11434/v1") is None


@pytest.mark.parametrize("choice", ["openai:nobody-knows-me", "compatible:llama3.1", "openai:moderation"])
async def test_what_nobody_knows_has_no_price(choice: str) -> None:
    assert await cost(choice) is None


@pytest.mark.parametrize("choice", ["offline", "scripted:replies.md"])
async def test_what_runs_here_costs_nothing(choice: str) -> None:
    assert await cost(choice) == 0


async def test_the_operator_s_word_comes_first() -> None:
    own = ModelPrice(input=Decimal(2), output=Decimal(10))

    assert await cost("openai:gpt-5.4-mini", **{"openai_gpt-5.4-mini": own}) == 3
    assert await cost(
        "compatible:llama", compatible_llama=own.model_copy(update={"cached": Decimal("0.5")})
    ) == Decimal("2.4")


async def test_the_setting_is_read_and_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAMULUS_MODEL_PRICES", '{"compatible:llama": {"input": 0.1, "output": 0.4}}')
    assert load_settings().model_prices["compatible:llama"] == ModelPrice(
        input=Decimal("0.1"), output=Decimal("0.4")
    )

    monkeypatch.setenv("FAMULUS_MODEL_PRICES", '{"compatible:llama": {"input": -1, "output": 0.4}}')
    with pytest.raises(ConfigurationError, match="MODEL_PRICES"):
        load_settings()
