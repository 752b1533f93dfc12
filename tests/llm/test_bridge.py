"""The bridge to pydantic-ai, against a server that speaks the wire of one of its providers."""

import json
import subprocess
import sys
from collections.abc import AsyncIterator

import pytest

from famulus.kernel.errors import ConfigurationError
from famulus.llm.bridge import BridgedModel
from famulus.llm.choose import open_model
from famulus.llm.errors import (
    ModelError,
    ModelKeyRefused,
    ModelNotFound,
    ModelRateLimited,
    ModelRequestRefused,
    ModelTimeout,
    ModelUnreachable,
)
from famulus.llm.limits import Limits
from famulus.llm.protocol import (
    ChatMessage,
    Enclosure,
    End,
    ModelSettings,
    Request,
    TextDelta,
    ToolCall,
    ToolCallReady,
    ToolSpec,
    Usage,
)
from famulus.llm.retry import RetryPolicy
from tests.llm.streams import items_of, question, text_of
from tests.support.fake_provider import CUT, FakeProvider, delta

NAME = "openai-chat:m"
QUICK = RetryPolicy(first_wait=0.01)
LOOK = ToolSpec("look", "Looks.", b'{"type":"object","properties":{"at":{"type":"string"}}}')


@pytest.fixture
async def provider(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeProvider]:
    async with FakeProvider() as fake:
        monkeypatch.setenv("OPENAI_BASE_URL", fake.base_url)
        monkeypatch.setenv("OPENAI_API_KEY", "sk-x")
        yield fake


def bridged(name: str = NAME, limits: Limits | None = None) -> BridgedModel:
    return BridgedModel(name, limits=limits, retry=QUICK)


async def test_everything_of_a_request_arrives(provider: FakeProvider):
    request = Request(
        (
            ChatMessage("system", "Be kind."),
            ChatMessage("user", "Where?", files=(Enclosure("a.png", "image/png", b"\x89PNG"),)),
            ChatMessage("assistant", "I look.", tool_calls=(ToolCall("c1", "look", '{"at":"x"}'),)),
            ChatMessage("tool", "There.", tool_call_id="c1"),
            ChatMessage("user", "And now?"),
        ),
        tools=(LOOK,),
        model_settings=ModelSettings(temperature=0.5, max_output_tokens=50),
    )
    await items_of(bridged(), request)
    [sent] = provider.requests
    roles = [each["role"] for each in sent.body["messages"]]
    assert roles == ["system", "user", "assistant", "tool", "user"]
    assert sent.body["messages"][1]["content"][1]["type"] == "image_url"
    assert sent.body["messages"][2]["tool_calls"][0]["function"] == {
        "name": "look",
        "arguments": '{"at":"x"}',
    }
    assert sent.body["messages"][3] == {"role": "tool", "tool_call_id": "c1", "content": "There."}
    assert sent.body["tools"][0]["function"]["name"] == "look"
    assert (sent.body["model"], sent.body["temperature"], sent.body["stream"]) == ("m", 0.5, True)
    assert 50 in (sent.body.get("max_tokens"), sent.body.get("max_completion_tokens"))


async def test_words_calls_tokens_and_the_end(provider: FakeProvider):
    provider.reply("I look.", tool_calls=[("look", {"at": "x"})])
    items = await items_of(bridged(), Request(question().messages, tools=(LOOK,)))
    assert text_of(items) == "I look."
    [call] = [item.call for item in items if isinstance(item, ToolCallReady)]
    assert (call.name, json.loads(call.arguments)) == ("look", {"at": "x"})
    assert call.id
    assert isinstance(items[-2], Usage)
    assert items[-2].output_tokens > 0
    assert items[-1] == End("tool_calls")


@pytest.mark.parametrize(
    ("status", "kind", "tries"),
    [
        (400, ModelRequestRefused, 1),
        (401, ModelKeyRefused, 1),
        (404, ModelNotFound, 1),
        (429, ModelRateLimited, 3),
    ],
)
async def test_refusals_are_ours(provider: FakeProvider, status: int, kind: type[ModelError], tries: int):
    """What may be tried again is, by us and nobody else."""
    for _ in range(5):
        provider.fail(status)
    with pytest.raises(kind):
        await items_of(bridged())
    assert len(provider.requests) == tries


async def test_what_breaks_off_is_not_told_twice(provider: FakeProvider):
    provider.raw(delta(content="Half"), CUT)
    said: list[str] = []
    with pytest.raises(ModelError):
        async for items in bridged().stream(question()):
            said += [item.text for item in items if isinstance(item, TextDelta)]
    assert said == ["Half"]
    assert len(provider.requests) == 1


async def test_silence_has_an_end(provider: FakeProvider):
    provider.hang()
    with pytest.raises(ModelTimeout):
        await items_of(BridgedModel(NAME, limits=Limits(first_byte=0.2), retry=RetryPolicy(attempts=1)))


async def test_nobody_there(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-x")
    with pytest.raises(ModelUnreachable):
        await items_of(bridged())


@pytest.mark.parametrize("name", ["nobody:m", "openai-chat:m"])
async def test_what_cannot_be_opened_says_what_to_do(monkeypatch: pytest.MonkeyPatch, name: str):
    for variable in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(variable, raising=False)
    with pytest.raises(ModelRequestRefused) as refused:
        await items_of(bridged(name))
    assert f"pydantic-ai:{name}" in refused.value.detail


@pytest.mark.parametrize(
    "choice", ["pydantic-ai", "pydantic-ai:", "pydantic-ai:google", "pydantic-ai:google:"]
)
def test_a_choice_names_a_provider_and_a_model(choice: str):
    with pytest.raises(ConfigurationError, match="provider"):
        open_model(choice)


def test_it_is_loaded_by_its_first_question_only():
    code = (
        "import sys; from famulus.llm.choose import open_model; open_model('pydantic-ai:google:g');"
        "assert 'pydantic_ai' not in sys.modules; sys.modules['pydantic_ai'] = None"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
