"""The Messages wire against a real HTTP server that misbehaves; what it shares is tested with Chat Completions."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing

import pytest

from famulus.kernel.errors import ConfigurationError
from famulus.llm.anthropic import AnthropicModel, messages_url
from famulus.llm.errors import (
    ModelContextTooLong,
    ModelError,
    ModelKeyRefused,
    ModelNonsense,
    ModelNotFound,
    ModelQuotaExhausted,
    ModelRateLimited,
    ModelRequestRefused,
    ModelStreamCut,
    ModelTimeout,
    ModelUnavailable,
)
from famulus.llm.limits import Limits
from famulus.llm.protocol import End, Item, ReasoningDelta, TextDelta, ToolCallReady, Usage
from famulus.llm.retry import RetryPolicy
from tests.llm.streams import items_of, question, text_of
from tests.support.fake_messages import PING, STOP, answer_events, begin, delta, event, start, stopped, text
from tests.support.fake_provider import CUT, HANG, FakeProvider, words

KEY = "sk-ant-test-0123456789abcdef"
ONCE = RetryPolicy(attempts=1)
QUICK = RetryPolicy(attempts=3, first_wait=0.01)
OVERLOADED = event("error", error={"type": "overloaded_error", "message": "Overloaded"})


@pytest.fixture
async def provider() -> AsyncIterator[FakeProvider]:
    async with FakeProvider() as running:
        yield running


@pytest.fixture
async def model(provider: FakeProvider) -> AsyncIterator[AnthropicModel]:
    opened = a_model(provider.base_url)
    yield opened
    await opened.close()


def a_model(base_url: str, *, limits: Limits | None = None, retry: RetryPolicy = ONCE) -> AnthropicModel:
    return AnthropicModel(name="fake", base_url=base_url, api_key=f" {KEY}\n", limits=limits, retry=retry)


async def test_an_answer_word_by_word(provider: FakeProvider, model: AnthropicModel):
    provider.reply("Nodes talk over topics.", tool_calls=[("look", {})])
    items = await items_of(model)
    assert [item.text for item in items if isinstance(item, TextDelta)] == [
        "Nodes",
        " talk",
        " over",
        " topics.",
    ]
    assert [item.call.name for item in items if isinstance(item, ToolCallReady)] == ["look"]
    assert items[-2:] == [Usage(12, 34), End("tool_calls")]


async def test_what_is_sent(provider: FakeProvider, model: AnthropicModel):
    await items_of(model)
    sent = provider.requests[0]
    assert sent.path == "/v1/messages"
    headers = {name.lower(): value for name, value in sent.headers.items()}
    assert headers["x-api-key"] == KEY
    assert headers["anthropic-version"] == "2023-06-01"
    assert headers["content-type"] == "application/json"
    assert headers["accept"] == "text/event-stream"
    assert "authorization" not in headers
    assert sent.body["model"] == "fake"


async def test_a_connection_is_used_again(provider: FakeProvider, model: AnthropicModel):
    for _ in range(3):
        await items_of(model)
    assert len({recorded.port for recorded in provider.requests}) == 1


@pytest.mark.parametrize(
    ("status", "message", "error"),
    [
        (401, "invalid x-api-key", ModelKeyRefused),
        (403, "no", ModelKeyRefused),
        (404, "model: fake", ModelNotFound),
        (400, "max_tokens: too many", ModelRequestRefused),
        (400, "prompt is too long: 9 tokens > 8 maximum", ModelContextTooLong),
        (400, "Your credit balance is too low to access the API", ModelQuotaExhausted),
        (413, "large", ModelContextTooLong),
        (429, "slow down", ModelRateLimited),
        (500, "oops", ModelUnavailable),
        (504, "gateway", ModelTimeout),
        (529, "Overloaded", ModelUnavailable),
        (302, "moved", ModelNonsense),
    ],
)
async def test_statuses(
    provider: FakeProvider, model: AnthropicModel, status: int, message: str, error: type[ModelError]
):
    provider.fail(status, f"{message} {KEY}", retry_after=77)
    with pytest.raises(error) as raised:
        await items_of(model)
    assert type(raised.value) is error
    assert KEY not in f"{raised.value.detail}{raised.value!r}"
    assert raised.value.__cause__ is None
    if status in (429, 500, 529):
        assert (raised.value.retry, raised.value.retry_after) == (True, 77)
    if status == 302:
        assert "ANTHROPIC_BASE_URL" in raised.value.detail


async def test_trouble_before_the_first_item_is_tried_again(provider: FakeProvider):
    model = a_model(provider.base_url, retry=QUICK)
    provider.fail(529)
    provider.raw(start(), PING, OVERLOADED)
    provider.reply("At last.")
    assert text_of(await items_of(model)) == "At last."
    assert len(provider.requests) == 3
    await model.close()


@pytest.mark.parametrize(
    ("steps", "error"),
    [
        ([OVERLOADED, HANG], ModelUnavailable),
        ([CUT], ModelStreamCut),
        ([], ModelStreamCut),
        ([HANG], ModelTimeout),
        ([b"event: content_block_delta\ndata: {not json\n\n", HANG], ModelNonsense),
        ([b"event: content_block_delta\ndata: " + b"x" * (2 << 20), HANG], ModelNonsense),
    ],
    ids=["error", "cut", "no end", "hang", "not json", "huge line"],
)
async def test_trouble_in_the_middle(
    provider: FakeProvider, steps: list[bytes | str], error: type[ModelError]
):
    model = a_model(provider.base_url, retry=QUICK, limits=Limits(idle=0.2))
    provider.raw(start(), begin(text=""), text("Half"), 0.02, text(" more"), 0.02, *steps)
    heard: list[Item] = []

    def push(texts: Sequence[str]) -> None:
        heard.extend(map(TextDelta, texts))

    with pytest.raises(error):
        async with aclosing(model.stream(question(), push)) as stream:
            async for items in stream:
                heard += items
    assert text_of(heard) == "Half more"
    assert len(provider.requests) == 1
    await asyncio.wait_for(provider.requests[0].gone.wait(), 30)
    await model.close()


@pytest.mark.parametrize("last", [[CUT], [STOP, HANG], [STOP, CUT], []])
async def test_what_comes_after_the_reason_does_no_harm(
    provider: FakeProvider, model: AnthropicModel, last: list[bytes | str]
):
    provider.raw(*answer_events(words("All of it.")), 0.02, *last)
    async with asyncio.timeout(30):
        items = await items_of(model)
    assert (text_of(items), items[-2:]) == ("All of it.", [Usage(12, 34), End("stop")])


async def test_no_answer_at_all(provider: FakeProvider):
    model = a_model(provider.base_url, limits=Limits(first_byte=0.1))
    provider.hang()
    with pytest.raises(ModelTimeout):
        await items_of(model)
    await model.close()


async def test_silence_but_for_pings_is_no_answer(provider: FakeProvider):
    model = a_model(provider.base_url, limits=Limits(whole=0.3))
    provider.raw(start(), *[PING, 0.05] * 100)
    with pytest.raises(ModelTimeout):
        await items_of(model)
    await model.close()


async def test_hanging_up_early_reaches_the_server(provider: FakeProvider, model: AnthropicModel):
    provider.endless()
    async with aclosing(model.stream(question())) as stream:
        await anext(stream)
    await asyncio.wait_for(provider.requests[0].gone.wait(), 30)
    assert not provider.requests[0].completed


async def test_text_passes_its_reader_by_and_nothing_else_does(provider: FakeProvider, model: AnthropicModel):
    pause = 0.02
    provider.raw(
        start(input_tokens=1), text("a"), pause, text("b"), pause, PING, pause,
        delta("thinking_delta", thinking="Hm."), pause, text("c"), pause, stopped("end_turn"), STOP,
    )  # fmt: skip
    pushed: list[str] = []
    heard: list[Item] = []
    async with aclosing(model.stream(question(), pushed.extend)) as stream:
        async for items in stream:
            heard += items
    assert pushed == ["b", "c"]
    assert heard == [TextDelta("a"), ReasoningDelta("Hm."), Usage(1, 0), End("stop")]


@pytest.mark.parametrize(
    ("base_url", "url"),
    [
        ("https://api.anthropic.com", "https://api.anthropic.com/v1/messages"),
        ("https://api.anthropic.com/", "https://api.anthropic.com/v1/messages"),
        ("http://localhost:8080/v1/", "http://localhost:8080/v1/messages"),
        ("http://localhost:8080/v1/messages", "http://localhost:8080/v1/messages"),
        (" https://models.example/anthropic ", "https://models.example/anthropic/v1/messages"),
    ],
)
def test_addresses(base_url: str, url: str):
    assert messages_url(base_url) == url


@pytest.mark.parametrize("base_url", ["", "localhost:8080", "ftp://x", "http://a:b@c", "http://c?k=1"])
def test_addresses_that_cannot_work(base_url: str):
    with pytest.raises(ConfigurationError, match="ANTHROPIC_BASE_URL"):
        messages_url(base_url)


def test_a_key_that_cannot_be_one():
    key = "sk-a\nX-Evil: 1"
    with pytest.raises(ConfigurationError, match="ANTHROPIC_API_KEY") as raised:
        AnthropicModel(name="m", base_url=None, api_key=key)
    assert key not in raised.value.detail
