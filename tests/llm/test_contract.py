"""What every resident of the room promises, asked of each in the same words."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest

from famulus.llm.choose import open_model
from famulus.llm.protocol import ChatMessage, End, Grounding, Model, Request, TextDelta, Usage
from tests.llm.streams import items_of, text_of
from tests.support.fake_provider import FakeProvider

REQUEST = Request(
    (ChatMessage("system", "Be kind."), ChatMessage("user", "What is a node?")),
    grounding=(Grounding(1, "Nodes", (), "A node is a process."),),
    searched=True,
)


@pytest.fixture(
    params=["offline", "scripted", "compatible", "openai", "responses", "anthropic", "chain", "bridge"]
)
async def model(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Model]:
    script = tmp_path / "replies.md"
    script.write_text("A node is a process.", "utf-8")
    choice = f"scripted:{script}" if request.param == "scripted" else f"{request.param}:m"
    choice = choice.replace("chain:m", "openai:m | anthropic:m").replace(
        "bridge:m", "pydantic-ai:openai-chat:m"
    )
    async with FakeProvider() as provider:
        monkeypatch.setenv("OPENAI_BASE_URL", provider.base_url)
        monkeypatch.setenv("OPENAI_API_KEY", "sk-x")
        opened = open_model(
            choice.replace("offline:m", "offline"),
            base_url=provider.base_url,
            openai_api_key="sk-x",
            anthropic_base_url=provider.base_url,
            anthropic_api_key="sk-a",
        )
        yield opened
        await opened.close()


async def test_text_then_usage_then_one_end(model: Model):
    items = await items_of(model, REQUEST)
    kinds = [type(item) for item in items]
    assert kinds == [TextDelta] * (len(items) - 2) + [Usage, End]
    assert text_of(items)


async def test_hanging_up_early_is_no_trouble(model: Model):
    async with aclosing(model.stream(REQUEST)) as stream:
        assert isinstance((await anext(stream))[0], TextDelta)
    assert text_of(await items_of(model, REQUEST))


async def test_closing_twice_is_no_trouble(model: Model):
    await model.close()
    await model.close()


async def test_it_says_what_it_is(model: Model):
    assert model.kind in (
        "offline",
        "scripted",
        "compatible",
        "openai",
        "responses",
        "anthropic",
        "pydantic-ai",
    )
    assert model.name
