"""The wire against a real HTTP server that misbehaves in every way we know."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from famulus.kernel.errors import ConfigurationError
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
    ModelUnreachable,
)
from famulus.llm.http_stream import Clients
from famulus.llm.limits import Limits
from famulus.llm.openai_chat import OpenAIChatModel, completions_url
from famulus.llm.protocol import (
    ChatMessage,
    End,
    ModelSettings,
    Request,
    TextDelta,
    ToolCall,
    ToolSpec,
    Usage,
)
from famulus.llm.retry import RetryPolicy
from tests.llm.streams import items_of, question, text_of
from tests.support.fake_provider import CUT, DONE, HANG, FakeProvider, answer_events, delta, usage
from tests.support.waiting import all_accepted

KEY = "sk-test-0123456789abcdef"
ONCE = RetryPolicy(attempts=1)
QUICK = RetryPolicy(attempts=3, first_wait=0.01)


@pytest.fixture
async def provider() -> AsyncIterator[FakeProvider]:
    async with FakeProvider() as running:
        yield running


@pytest.fixture
async def model(provider: FakeProvider) -> AsyncIterator[OpenAIChatModel]:
    opened = a_model(provider.base_url)
    yield opened
    await opened.close()


def a_model(
    base_url: str, *, kind: str = "compatible", limits: Limits | None = None, retry: RetryPolicy = ONCE
) -> OpenAIChatModel:
    return OpenAIChatModel(kind=kind, name="fake", base_url=base_url, api_key=KEY, limits=limits, retry=retry)


async def test_an_answer_word_by_word(provider: FakeProvider, model: OpenAIChatModel):
    provider.reply("Nodes talk over topics.")
    items = await items_of(model)
    assert [item.text for item in items if isinstance(item, TextDelta)] == [
        "Nodes",
        " talk",
        " over",
        " topics.",
    ]
    assert items[-2:] == [Usage(12, 34), End("stop")]


async def test_what_is_sent(provider: FakeProvider):
    request = Request(
        (
            ChatMessage("system", "Be kind."),
            ChatMessage("user", "Hi"),
            ChatMessage("assistant", "", (ToolCall("c1", "look", '{"a": 1}'),)),
            ChatMessage("tool", "seen", tool_call_id="c1"),
        ),
        tools=(
            ToolSpec("look", "Looks.", b'{"type":"object"}'),
            ToolSpec("see", "Sees.", b'{"type":"object"}'),
        ),
        model_settings=ModelSettings(temperature=0.2, max_output_tokens=99),
        user_key="u-1",
    )
    for kind in ("openai", "compatible"):
        model = a_model(provider.base_url, kind=kind)
        await items_of(model, request)
        await model.close()
    openai, compatible = (recorded.body for recorded in provider.requests)
    assert provider.requests[0].path == "/v1/chat/completions"
    assert provider.requests[0].headers["Authorization"] == f"Bearer {KEY}"
    assert openai["stream_options"] == {"include_usage": True}
    assert openai["messages"] == [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "Hi"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "look", "arguments": '{"a": 1}'}}
            ],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "seen"},
    ]
    assert [tool["function"]["parameters"] for tool in openai["tools"]] == [{"type": "object"}] * 2
    assert (openai["store"], openai["max_completion_tokens"], openai["safety_identifier"]) == (
        False,
        99,
        "u-1",
    )
    assert (compatible["max_tokens"], compatible["user"], "store" in compatible) == (99, "u-1", False)


async def test_tool_calls_arrive_whole(provider: FakeProvider, model: OpenAIChatModel):
    provider.reply("", tool_calls=[("search", {"q": "ä"}), ("list", {})])
    items = await items_of(model)
    assert [item.call.name for item in items[:2]] == ["search", "list"]
    assert items[-1] == End("tool_calls")


async def test_a_connection_is_used_again(provider: FakeProvider, model: OpenAIChatModel):
    for _ in range(5):
        await items_of(model)
    assert len({recorded.port for recorded in provider.requests}) == 1


async def test_models_of_one_server_share_its_connections(provider: FakeProvider):
    clients = Clients()
    models = [
        OpenAIChatModel(
            kind="compatible", name=name, base_url=provider.base_url, api_key=key, clients=clients
        )
        for name, key in (("small", KEY), ("large", KEY), ("foreign", None))
    ]
    for model in models:
        await items_of(model)
    ports = [recorded.port for recorded in provider.requests]
    assert ports[0] == ports[1] != ports[2]
    for model in models:
        await model.close()


@pytest.mark.parametrize(
    ("status", "message", "error"),
    [
        (401, "Incorrect API key provided", ModelKeyRefused),
        (403, "no", ModelKeyRefused),
        (402, "pay", ModelQuotaExhausted),
        (404, "no such model", ModelNotFound),
        (400, "bad temperature", ModelRequestRefused),
        (422, "bad temperature", ModelRequestRefused),
        (400, "This model's maximum context length is 10 tokens", ModelContextTooLong),
        (400, "the request exceeds the available context size", ModelContextTooLong),
        (413, "large", ModelContextTooLong),
        (429, "slow down", ModelRateLimited),
        (429, "You exceeded your current quota", ModelQuotaExhausted),
        (408, "slow", ModelTimeout),
        (500, "oops", ModelUnavailable),
        (503, "overloaded", ModelUnavailable),
        (504, "gateway", ModelTimeout),
        (301, "moved", ModelNonsense),
    ],
)
async def test_statuses(
    provider: FakeProvider, model: OpenAIChatModel, status: int, message: str, error: type[ModelError]
):
    provider.fail(status, message)
    with pytest.raises(error) as raised:
        await items_of(model)
    assert type(raised.value) is error
    assert raised.value.detail.endswith((".", "?"))


async def test_a_refusal_names_the_model_or_the_reason_but_no_key(
    provider: FakeProvider, model: OpenAIChatModel
):
    provider.fail(404)
    with pytest.raises(ModelNotFound, match="“fake”"):
        await items_of(model)
    provider.fail(400, f"key {KEY} and sk-other-0123 \n\x07 are bad " + "x y " * 500)
    with pytest.raises(ModelRequestRefused) as raised:
        await items_of(model)
    assert "are bad" in raised.value.detail
    assert "sk-" not in raised.value.detail
    assert len(raised.value.detail) < 500
    assert raised.value.__cause__ is None


async def test_retry_after_is_kept(provider: FakeProvider, model: OpenAIChatModel):
    provider.fail(429, retry_after=77)
    with pytest.raises(ModelRateLimited) as raised:
        await items_of(model)
    assert raised.value.retry_after == 77


async def test_trouble_before_the_first_item_is_tried_again(provider: FakeProvider):
    model = a_model(provider.base_url, retry=QUICK)
    provider.fail(503)
    provider.raw(delta(role="assistant", content=""), CUT)
    provider.reply("At last.")
    assert text_of(await items_of(model)) == "At last."
    assert len(provider.requests) == 3
    await model.close()


async def test_trouble_after_the_first_item_is_not_tried_again(provider: FakeProvider):
    model = a_model(provider.base_url, retry=QUICK)
    provider.raw(delta(content="Half"), 0.02, CUT)
    async with aclosing(model.stream(question())) as stream:
        assert await anext(stream) == [TextDelta("Half")]
        with pytest.raises(ModelStreamCut):
            await anext(stream)
    assert len(provider.requests) == 1
    await model.close()


async def test_refusals_are_not_tried_again(provider: FakeProvider):
    model = a_model(provider.base_url, retry=QUICK)
    provider.fail(401)
    with pytest.raises(ModelKeyRefused):
        await items_of(model)
    assert len(provider.requests) == 1
    await model.close()


async def test_a_clean_close_without_an_end_is_a_cut(provider: FakeProvider, model: OpenAIChatModel):
    provider.raw(delta(content="Half"))
    with pytest.raises(ModelStreamCut):
        await items_of(model)


async def test_a_cut_after_the_reason_does_no_harm(provider: FakeProvider, model: OpenAIChatModel):
    provider.raw(*answer_events("All of it."), 0.02, CUT)
    items = await items_of(model)
    assert (text_of(items), items[-1]) == ("All of it.", End("stop"))


async def test_a_server_that_keeps_the_line_open_after_done(provider: FakeProvider, model: OpenAIChatModel):
    provider.raw(*answer_events("Done."), usage(1, 2), DONE, HANG)
    async with asyncio.timeout(30):
        assert text_of(await items_of(model)) == "Done."


@pytest.mark.parametrize("limits", [Limits(first_byte=0.1), Limits(whole=0.1)])
async def test_no_answer_at_all(provider: FakeProvider, limits: Limits):
    model = a_model(provider.base_url, limits=limits)
    provider.hang()
    provider.raw(HANG)
    for _ in range(2):
        with pytest.raises(ModelTimeout):
            await items_of(model)
    await model.close()


@pytest.mark.parametrize("limits", [Limits(idle=0.1), Limits(whole=0.2)])
async def test_silence_in_the_middle(provider: FakeProvider, limits: Limits):
    model = a_model(provider.base_url, limits=limits)
    provider.raw(delta(content="Half"), HANG)
    with pytest.raises(ModelTimeout):
        await items_of(model)
    await asyncio.wait_for(provider.requests[0].gone.wait(), 30)
    await model.close()


async def test_an_answer_without_end_is_stopped_by_the_clock(provider: FakeProvider):
    model = a_model(provider.base_url, limits=Limits(idle=0.2, whole=0.5))
    provider.endless(pace=0.01)
    with pytest.raises(ModelTimeout):
        await items_of(model)
    await model.close()


async def test_a_slow_reader_is_not_a_silent_server(provider: FakeProvider):
    model = a_model(provider.base_url, limits=Limits(idle=0.5))
    provider.reply("one two three", pace=0.03)
    got = ""
    async with aclosing(model.stream(question())) as stream:
        async for items in stream:
            got += text_of(items)
            await asyncio.sleep(0.6)
    assert got == "one two three"
    await model.close()


async def test_hanging_up_early_reaches_the_server(provider: FakeProvider, model: OpenAIChatModel):
    provider.endless()
    async with aclosing(model.stream(question())) as stream:
        await anext(stream)
    await asyncio.wait_for(provider.requests[0].gone.wait(), 30)
    assert not provider.requests[0].completed


async def test_cancelling_reaches_the_server(provider: FakeProvider, model: OpenAIChatModel):
    provider.hang()
    task = asyncio.create_task(items_of(model))
    await asyncio.wait_for(provider.asked.wait(), 30)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.wait_for(provider.requests[0].gone.wait(), 30)


async def test_nobody_at_home(provider: FakeProvider):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    for address in (f"http://127.0.0.1:{port}", "http://nowhere.invalid/v1"):
        model = a_model(address)
        with pytest.raises(ModelUnreachable):
            await items_of(model)
        await model.close()


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", ModelNonsense),
        (b"", ModelUnavailable),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnot a size\r\n", ModelError),
    ],
)
async def test_a_server_that_does_not_speak_http(sent: bytes, error: type[ModelError]):
    async def speak(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(sent)
        writer.close()

    async with await asyncio.start_server(speak, "127.0.0.1", 0) as server:
        model = a_model(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        with pytest.raises(error):
            await items_of(model)
        await model.close()
        await all_accepted()


async def test_many_streams_at_once(provider: FakeProvider, model: OpenAIChatModel):
    for number in range(40):
        provider.reply(f"answer {number} ends", pace=0.005)
    answers = await asyncio.gather(*(items_of(model) for _ in range(40)))
    assert {text_of(items) for items in answers} == {f"answer {number} ends" for number in range(40)}


async def test_a_closed_model_opens_again(provider: FakeProvider, model: OpenAIChatModel):
    await items_of(model)
    await model.close()
    await model.close()
    assert text_of(await items_of(model)) == "Hello from the fake provider."


@pytest.mark.parametrize(
    ("base_url", "url"),
    [
        ("http://localhost:11434", "http://localhost:11434/v1/chat/completions"),
        ("http://localhost:11434/", "http://localhost:11434/v1/chat/completions"),
        ("http://localhost:8080/v1", "http://localhost:8080/v1/chat/completions"),
        (" http://[::1]:8080/v1// ", "http://[::1]:8080/v1/chat/completions"),
        ("https://models.example/openai/v1", "https://models.example/openai/v1/chat/completions"),
        ("https://models.example/v1/chat/completions", "https://models.example/v1/chat/completions"),
    ],
)
def test_addresses(base_url: str, url: str):
    assert completions_url(base_url) == url


@pytest.mark.parametrize(
    "base_url",
    [
        "",
        "localhost:8080",
        "ftp://x",
        "http://",
        "http://a:b@c/v1",
        "http://c/v1?k=1",
        "http://[::1",
        "http://c:99999",
    ],
)
def test_addresses_that_cannot_work(base_url: str):
    with pytest.raises(ConfigurationError, match="FAMULUS_MODEL_BASE_URL"):
        completions_url(base_url)


async def test_a_key_as_it_was_pasted(provider: FakeProvider):
    model = OpenAIChatModel(kind="openai", name="m", base_url=provider.base_url, api_key=f" {KEY}\n")
    await items_of(model)
    assert provider.requests[0].headers["Authorization"] == f"Bearer {KEY}"
    await model.close()


@pytest.mark.parametrize("key", ["sk-a\nX-Evil: 1", "sk-ключ"])
def test_a_key_that_cannot_be_one(key: str):
    with pytest.raises(ConfigurationError) as raised:
        OpenAIChatModel(kind="openai", name="m", base_url="http://c", api_key=key)
    assert key not in raised.value.detail
