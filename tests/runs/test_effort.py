"""How much a model thinks: who may say so, how each wire tells it, and what goes back to it with results of tools."""

import json
from dataclasses import dataclass
from typing import Any

import pytest
from msgspec.structs import replace

from famulus.conversations.parts import Application, Reasoning
from famulus.llm import anthropic_request, openai_request, responses_request
from famulus.llm.protocol import ChatMessage, ModelSettings, Request, Sealed, ToolCall
from famulus.runs.ask import Ask
from famulus.runs.loop import Draft, continue_messages
from tests.runs.conftest import Open, tags
from tests.runs.test_acting import Notes, parts_of
from tests.runs.test_approvals import Wiper, cards, say
from tests.support import fake_messages, fake_responses
from tests.support.fake_provider import FakeProvider, answer_events, call_deltas, delta

THOUGHT = "Milk, then."
THINKING = {"type": "thinking", "thinking": THOUGHT, "signature": "c2ln"}
HIDDEN = {"type": "redacted_thinking", "data": "aGlk"}
ITEM = {
    "id": "rs_1",
    "type": "reasoning",
    "summary": [{"type": "summary_text", "text": THOUGHT}],
    "encrypted_content": "gAAAA",
    "status": None,
}
GIVEN = {"note": {"text": "milk"}, "wipe": {"text": "all"}}
HIGH = {"reasoning_effort": "high"}


@dataclass(frozen=True)
class Way:
    """A wire, and what has to be seen on it."""

    model: str
    asked: dict[str, Any]
    """What the first request says of thinking."""
    left_out: tuple[str, ...] = ("temperature",)


WAYS = {
    "chat": Way("compatible:fake", {"reasoning_effort": "high", "temperature": 0.3}, ()),
    "openai": Way("openai:fake", {"reasoning_effort": "high"}),
    "responses": Way(
        "responses:fake",
        {
            "reasoning": {"effort": "high", "summary": "auto"},
            "include": ["reasoning.encrypted_content"],
            "store": False,
        },
    ),
    "adaptive": Way(
        "anthropic:claude-opus-4-6",
        {
            "thinking": {"type": "adaptive", "display": "summarized"},
            "output_config": {"effort": "high"},
            "max_tokens": 4_096 + 16_384,
        },
    ),
    "budget": Way(
        "anthropic:claude-haiku-4-5",
        {
            "thinking": {"type": "enabled", "budget_tokens": (4_096 + 16_384) // 2, "display": "summarized"},
            "max_tokens": 4_096 + 16_384,
        },
        ("temperature", "output_config"),
    ),
}


def thinks_and_calls(provider: FakeProvider, way: Way, name: str = "note") -> None:
    """Queue an answer that thinks, speaks and calls a tool."""
    arguments = json.dumps(GIVEN[name])
    if way.model.startswith("anthropic:"):
        wire = fake_messages
        provider.raw(
            wire.start(input_tokens=1, output_tokens=1),
            wire.begin(0, "redacted_thinking", data=HIDDEN["data"]), wire.close(),
            wire.begin(1, "thinking", thinking="", signature=""),
            wire.delta("thinking_delta", 1, thinking=THOUGHT[:4]),
            wire.delta("thinking_delta", 1, thinking=THOUGHT[4:]),
            wire.delta("signature_delta", 1, signature=THINKING["signature"]), wire.close(1),
            wire.begin(2, text=""), wire.text("I note.", 2), wire.close(2),
            *wire.call_events(3, "toolu_1", name, arguments),
            wire.stopped("tool_use", output_tokens=3), wire.STOP,
        )  # fmt: skip
    elif way.model.startswith("responses:"):
        done = "response.output_item.done"
        provider.raw(
            fake_responses.lifecycle("created"),
            fake_responses.event("response.output_item.added", output_index=0, item={**ITEM, "encrypted_content": ""}),
            fake_responses.event("response.reasoning_summary_text.delta", item_id="rs_1", delta=THOUGHT),
            fake_responses.event(done, output_index=0, item=ITEM),
            fake_responses.text("I note.", 1),
            *fake_responses.call_events(2, "call_1", name, arguments),
            fake_responses.completed(),
        )  # fmt: skip
    else:
        provider.raw(
            delta(role="assistant", content=None, reasoning_content=THOUGHT),
            delta(content="I note."),
            *call_deltas(0, "call_1", name, arguments),
            *answer_events("", finish="tool_calls"),
            b"data: [DONE]\n\n",
        )


def settings_of(provider: FakeProvider, way: Way) -> dict[str, object]:
    return {
        "model": way.model,
        "anthropic_base_url": provider.base_url,
        "anthropic_api_key": "sk-a",
        "openai_api_key": "sk-x",
    }


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
async def test_a_loop_of_tools_on_every_wire(opened: Open, provider: FakeProvider, way: Way) -> None:
    thinks_and_calls(provider, way)
    provider.reply("Noted.")
    async with opened(Notes().tool(), **settings_of(provider, way)) as instance:
        started = await instance.ask("Note milk.", temperature=0.3, **HIGH)
        entries = await instance.follow(started.run.id)
        parts = await parts_of(instance, started.run.id)

    first, second = (each.body for each in provider.requests[:2])
    for body in (first, second):
        assert {name: body.get(name) for name in way.asked} == way.asked
        assert not set(way.left_out) & set(body)
    assert [part.text for part in parts if isinstance(part, Reasoning)] == [THOUGHT]
    assert "c2ln" not in str(entries), "what is sealed is between us and the provider"
    if way.model in ("compatible:fake", "openai:fake"):
        [told] = [message for message in second["messages"] if message["role"] == "assistant"]
        assert (told["content"], told["reasoning_content"]) == ("I note.", THOUGHT)
    elif way.model.startswith("anthropic:"):
        [told] = [turn["content"] for turn in second["messages"] if turn["role"] == "assistant"]
        words = {"type": "text", "text": "I note."}
        assert told == [HIDDEN, THINKING, words, {"type": "tool_use", "id": "toolu_1", "name": "note", "input": GIVEN["note"]}]  # fmt: skip
    elif way.model.startswith("responses:"):
        told = second["input"][1:]
        assert told[:2] == [ITEM, {"role": "assistant", "content": "I note."}]
        assert [item.get("type") for item in told[2:]] == ["function_call", "function_call_output"]


async def test_an_answer_that_waited_goes_on_without_what_was_sealed(
    opened: Open, provider: FakeProvider
) -> None:
    """A model with a budget refuses results of calls before which it has not thought, so it is not asked to."""
    way = WAYS["budget"]
    thinks_and_calls(provider, way, "wipe")
    async with opened(Wiper().wipe(), **settings_of(provider, way)) as instance:
        started = await instance.ask("Wipe it.", **HIGH)
        entries = await instance.follow(started.run.id)
        await say(instance, cards(entries)[-1])
        assert "run.completed" in tags(await instance.follow(started.run.id, entries[-1].id))
    first, second = (each.body for each in provider.requests[:2])
    assert ("thinking" in first, "thinking" in second) == (True, False)


@pytest.mark.parametrize(
    ("assistant", "server", "program", "sent"),
    [
        (None, None, None, None),
        (None, None, "high", "high"),
        (None, "medium", None, "medium"),
        (None, "medium", "high", "medium"),
        ("high", "low", None, "high"),
        ("low", None, "high", "low"),
        ("high", None, "minimal", "minimal"),
        ("none", "high", "high", "none"),
    ],
)
async def test_who_may_say_how_much(
    opened: Open, provider: FakeProvider, assistant: Any, server: Any, program: Any, sent: str | None
) -> None:
    """A program may ask for less than the assistant is set to, and for anything where nothing is set."""
    async with opened(reasoning_effort=server) as instance:
        thread = await instance.thread(reasoning_effort=assistant)
        application = Application(reasoning_effort=program)
        started = await instance.parts.runs.start(
            instance.person, Ask(thread, "Hi.", application=application)
        )
        await instance.follow(started.run.id)
    assert provider.requests[0].body.get("reasoning_effort") == sent


async def test_the_server_s_word_is_for_its_own_model(opened: Open, provider: FakeProvider) -> None:
    async with opened(reasoning_effort="high") as instance:
        started = await instance.ask(model="compatible:other")
        await instance.follow(started.run.id)
    assert "reasoning_effort" not in provider.requests[0].body


@pytest.mark.parametrize(
    "words",
    [
        "Unsupported parameter: 'reasoning_effort' is not supported with this model.",
        "Unsupported value: 'reasoning.effort' does not support 'none' with this model.",
        "Encrypted content is not supported with this model.",
        '"llama3.1" does not support thinking',
        '"thinking.type.disabled" is not supported for this model.',
        "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024",
    ],
)
async def test_a_model_that_refuses_says_what_to_change(
    opened: Open, provider: FakeProvider, words: str
) -> None:
    provider.fail(400, words, code="invalid_request_error")
    async with opened() as instance:
        started = await instance.ask(**HIGH)
        await instance.follow(started.run.id)
        run = await instance.parts.runs.get(instance.person, started.run.id)
    assert run.error is not None
    assert run.error.code == "model_effort_refused"
    assert all(name in run.error.detail for name in ("reasoning_effort", "FAMULUS_REASONING_EFFORT", words))


THOUGHTS = tuple(Sealed("anthropic:claude-opus-4-5", b'{"type":"thinking"}', text=place) for place in (0, 2))
LOOP = Request(
    (
        ChatMessage("user", "Hi"),
        ChatMessage(
            "assistant",
            "So.",
            (ToolCall("c", "look", "{}"),),
            sealed=(*THOUGHTS, Sealed("responses:o", b'{"type":"reasoning"}')),
        ),
        ChatMessage("tool", "seen", tool_call_id="c"),
    )
)


@pytest.mark.parametrize(
    ("model", "settings", "thinking"),
    [
        ("claude-opus-4-5", {"effort": "low"}, {"type": "enabled", "budget_tokens": 2_048}),
        ("claude-opus-4-5", {"effort": "high", "max_output_tokens": 8_000}, {"type": "enabled", "budget_tokens": 4_000}),
        ("claude-opus-4-5", {"effort": "high", "max_output_tokens": 2_000}, None),
        ("claude-opus-4-5", {"effort": "none"}, {"type": "disabled"}),
        ("claude-opus-4-5", {}, None),
        ("anthropic/claude-sonnet-4.5", {"effort": "low"}, None),
        ("claude-3-7-sonnet-20250219", {"effort": "low"}, None),
        ("claude-sonnet-4-20250514", {"effort": "low"}, None),
        ("claude-opus-4-10", {"effort": "minimal"}, {"type": "adaptive"}),
        ("claude-sonnet-5", {"effort": "low", "max_output_tokens": 100}, {"type": "adaptive"}),
        ("claude-opus-4-7-20260101", {"effort": "low"}, {"type": "adaptive"}),
    ],
)  # fmt: skip
def test_the_wire_of_messages(model: str, settings: dict[str, Any], thinking: Any) -> None:
    """None where the thought that began the loop is not the model's own, or where the bound leaves no room."""
    request = replace(LOOP, model_settings=ModelSettings(temperature=0.5, **settings))
    body = json.loads(anthropic_request.encode_request(request, model=model))
    if thinking is not None and thinking["type"] != "disabled":
        thinking = {**thinking, "display": "omitted"}
    assert body.get("thinking") == thinking
    asks = thinking is not None and settings["effort"] != "none"
    assert ("temperature" in body) is not asks
    assert body["max_tokens"] > (thinking or {}).get("budget_tokens", 0)
    assert body["max_tokens"] == settings.get("max_output_tokens", body["max_tokens"])


def test_nobody_gets_what_another_has_sealed() -> None:
    own = json.loads(anthropic_request.encode_request(LOOP, model="claude-opus-4-5"))["messages"][1][
        "content"
    ]
    assert [block["type"] for block in own] == ["thinking", "text", "thinking", "text", "tool_use"]
    for written in (
        anthropic_request.encode_request(LOOP, model="claude-haiku-4-5"),
        responses_request.encode_request(LOOP, model="claude-opus-4-5"),
        openai_request.encode_request(LOOP, model="claude-opus-4-5", openai=True),
    ):
        assert b'"thinking"' not in written
        assert b'"reasoning"' not in written


def test_deepseek_wants_a_thought_with_every_call() -> None:
    """An empty one where none was told; no other server is sent a field that it has not used itself."""
    for model, told in (("deepseek-v4-pro", {"reasoning_content": ""}), ("llama3.1", {})):
        [message] = json.loads(openai_request.encode_request(LOOP, model=model, openai=False))["messages"][
            1:2
        ]
        assert {name: message[name] for name in message if name.startswith("reasoning")} == told


def test_what_was_thought_between_calls_stays_between_them() -> None:
    draft = Draft({})
    draft.begin_step()
    draft.add("So.")
    for place in (0, 1, 2):
        draft.seal(Sealed("w", b"%d" % place, calls=place))
    made = [ToolCall("a", "look", "{}"), ToolCall("b", "look", "{}")]
    draft.call(made)
    assert {id: [(each.data, each.text) for each in sealed] for id, sealed in draft.sealed.items()} == {
        "a": [(b"0", 3)],
        "b": [(b"1", 3)],
    }
    assert continue_messages(draft) == []
