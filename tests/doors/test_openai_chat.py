"""`/v1/models` and `/v1/chat/completions`, driven by OpenAI's own client."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import openai
import pytest
from openai import OpenAI

from famulus.doors.openai.chat_request import ask_of, read_chat
from tests.support.academy import new_thread, threads_of
from tests.support.openai_client import client_of
from tests.support.serving import Served

ANSWER = "One two three. *Grüße* 🚀 and **done**."
WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Says how the weather is.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


def ask(client: OpenAI, words: str = "Hello.", **options: Any) -> Any:
    given = {"model": "famulus", "messages": [{"role": "user", "content": words}], **options}
    return client.chat.completions.create(**given)


def test_models_are_who_can_be_asked(server: Served) -> None:
    ids = server.academy.ids
    with client_of(server) as client:
        found = {model.id: model for model in client.models.list()}
        assert {"famulus", ids["assistant"], ids["course"]} <= found.keys()
        assert found["famulus"].owned_by == "famulus"
        assert client.models.retrieve(ids["assistant"]).id == ids["assistant"]
    with client_of(server, "their_student") as client:
        assert not {ids["assistant"], ids["course"]} & {model.id for model in client.models.list()}
        for name in (ids["assistant"], ids["course"], "gpt-5", f"{ids['assistant']}@{ids['course']}"):
            with pytest.raises(openai.NotFoundError) as refused:
                client.models.retrieve(name)
            assert refused.value.code == "unknown_model"


def test_an_answer_at_once(server: Served) -> None:
    with client_of(server) as client:
        answer = ask(client)
    assert answer.object == "chat.completion"
    assert answer.id.startswith("chatcmpl-")
    assert answer.model == "famulus"
    assert answer.choices[0].message.content == ANSWER
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens > 0


def test_an_answer_as_it_is_written(server: Served) -> None:
    with client_of(server) as client:
        chunks = list(ask(client, stream=True))
        counted = list(ask(client, stream=True, stream_options={"include_usage": True}))
    assert chunks[0].choices[0].delta.role == "assistant"
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == ANSWER
    assert [chunk.choices[0].finish_reason for chunk in chunks] == [None] * (len(chunks) - 1) + ["stop"]
    assert len({chunk.id for chunk in chunks}) == 1
    assert {chunk.object for chunk in chunks} == {"chat.completion.chunk"}
    assert all(chunk.usage is None for chunk in [*chunks, *counted[:-1]])
    assert counted[-1].choices == []
    assert counted[-1].usage.completion_tokens > 0


def test_the_client_s_own_helper_reads_the_stream(server: Served) -> None:
    with client_of(server) as client:
        messages: Any = [{"role": "user", "content": "Hello."}]
        with client.chat.completions.stream(model="famulus", messages=messages) as stream:
            kinds = [event.type for event in stream]
            answer = stream.get_final_completion()
    assert answer.choices[0].message.content == ANSWER
    assert "content.delta" in kinds


def test_our_tools_are_used_on_the_server(server: Served) -> None:
    with client_of(server) as client:
        answer = ask(client, "Please use a tool.")
    assert answer.choices[0].message.content == "You have some courses."
    assert answer.choices[0].message.tool_calls is None


def test_the_client_s_tools_are_called_by_the_client(server: Served) -> None:
    with client_of(server) as client:
        messages: list[Any] = [{"role": "user", "content": "How is the weather?"}]
        answer = ask(client, messages=messages, tools=[WEATHER])
        [call] = answer.choices[0].message.tool_calls
        assert answer.choices[0].finish_reason == "tool_calls"
        assert (call.function.name, call.function.arguments) == ("get_weather", '{"city": "Bonn"}')
        messages += [
            answer.choices[0].message.model_dump(exclude_none=True),
            {"role": "tool", "tool_call_id": call.id, "content": "Rain."},
        ]
        after = ask(client, messages=messages, tools=[WEATHER])
        assert after.choices[0].message.content == "It rains in Bonn."
        chunks = list(ask(client, "How is the weather?", tools=[WEATHER], stream=True))
        assert chunks[-2].choices[0].delta.tool_calls[0].function.name == "get_weather"
        assert chunks[-1].choices[0].finish_reason == "tool_calls"
        without = ask(client, "How is the weather?", tools=[WEATHER], tool_choice="none")
        assert without.choices[0].finish_reason == "stop", "nobody is there to make the call"


def test_the_conversation_is_the_client_s(server: Served) -> None:
    """What was said before is told to the model, and nothing of it shows in the person's own lists."""
    told: list[Any] = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "How is the weather?"},
        {"role": "assistant", "content": "Wet."},
        {"role": "user", "content": [{"type": "text", "text": "Hello."}]},
    ]
    with client_of(server) as client, server.client("student") as http:
        before = threads_of(http)
        assert ask(client, messages=told).choices[0].message.content == ANSWER
        assert threads_of(http) == before


def test_a_course_is_a_model(server: Served) -> None:
    with client_of(server) as client:
        answer = ask(client, model=server.academy.ids["course"])
        assert answer.choices[0].message.content == ANSWER
    with client_of(server, "peer") as client:
        for model in (server.academy.ids["course"], server.academy.ids["assistant"], "gpt-5"):
            with pytest.raises(openai.NotFoundError):
                ask(client, model=model)


def test_an_api_key_is_a_bearer(server: Served) -> None:
    keys: dict[str, str] = {}
    with server.client("student") as http:
        for scope in ("chat", "read"):
            wish = {"name": f"openai {scope}", "scopes": [scope]}
            keys[scope] = http.post("/api/v1/api-keys", json=wish).json()["key"]
    with client_of(server, api_key=keys["chat"]) as client:
        assert ask(client).choices[0].message.content == ANSWER
    with client_of(server, api_key=keys["read"]) as client:
        with pytest.raises(openai.PermissionDeniedError) as refused:
            ask(client)
        assert refused.value.code == "scope_missing"
        assert client.models.list().data
    with client_of(server, api_key="sk-nobody") as client, pytest.raises(openai.AuthenticationError):
        ask(client)


@pytest.mark.parametrize(
    ("wrong", "code", "parameter"),
    [
        ({"n": 2}, "unsupported_parameter", "n"),
        ({"stop": ["."]}, "unsupported_parameter", "stop"),
        ({"response_format": {"type": "xml"}}, "unsupported_parameter", "response_format"),
        ({"response_format": {"type": "json_schema"}}, "invalid_value", "response_format"),
        ({"response_format": {"type": "json_object"}}, "format_not_supported", None),
        ({"tool_choice": "required", "tools": [WEATHER]}, "unsupported_parameter", "tool_choice"),
        ({"extra_body": {"nonsense": 1}}, "unknown_parameter", "nonsense"),
        ({"temperature": 9}, "invalid_value", "temperature"),
        ({"reasoning_effort": "much"}, "invalid_value", "reasoning_effort"),
        ({"messages": []}, "invalid_value", "messages"),
        ({"messages": [{"role": "assistant", "content": "Hi."}]}, "invalid_value", "messages"),
        ({"messages": [{"role": "user", "content": ""}]}, "invalid_value", "messages[0].content"),
        ({"messages": [{"role": "user", "content": "a\0b"}]}, "invalid_value", "messages[0].content"),
        ({"messages": [{"role": "user", "content": 5}]}, "invalid_value", "messages[0].content"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]},
            "unsupported_content",
            "messages[0].content[0]",
        ),
        (
            {"tools": [{"type": "function", "function": {"name": "no name"}}]},
            "invalid_value",
            "tools[0].function.name",
        ),
        ({"tools": [{"type": "custom", "custom": {"name": "x"}}]}, "invalid_value", "tools"),
    ],
)
def test_what_is_wrong_is_named(embedded: Served, wrong: Any, code: str, parameter: str) -> None:
    with client_of(embedded) as client, pytest.raises(openai.BadRequestError) as refused:
        ask(client, **wrong)
    assert (refused.value.code, refused.value.param) == (code, parameter)
    assert refused.value.type == "invalid_request_error"
    assert refused.value.body["message"]


@pytest.mark.parametrize(
    ("wish", "asked"), [("low", "low"), ("xhigh", "high"), ("max", "high"), (None, None)]
)
def test_how_much_to_think_is_asked_with_the_message(wish: str | None, asked: str | None) -> None:
    body = {"model": "m", "messages": [{"role": "user", "content": "Hi."}], "reasoning_effort": wish}
    application = ask_of(read_chat(json.dumps(body).encode())).application
    assert application is not None
    assert application.reasoning_effort == asked


def test_what_has_no_meaning_here_is_passed_over(embedded: Served) -> None:
    with client_of(embedded) as client:
        answer = ask(
            client, top_p=0.5, seed=1, user="u", store=True, presence_penalty=1, n=1, logprobs=False,
            parallel_tool_calls=True, reasoning_effort="low", metadata={"a": "b"}, max_tokens=100,
            response_format={"type": "text"}, temperature=0.1,
        )  # fmt: skip
    assert answer.choices[0].message.content == ANSWER


def test_a_model_that_fails(server: Served) -> None:
    with client_of(server) as client:
        with pytest.raises(openai.InternalServerError) as failed:
            ask(client, "Please fail.")
        assert failed.value.code == "model_request_refused"
        assert failed.value.status_code == 502
        with pytest.raises(openai.APIError) as broke:
            list(ask(client, "Please fail.", stream=True))
        assert broke.value.code == "model_request_refused"


def test_what_waits_for_a_person_is_said(server: Served) -> None:
    """The run goes on when a person has said yes in Famulus; the client is told what it waits for."""
    with client_of(server) as client, server.client("student") as http:
        answer = ask(client, "Please erase Dikes1")
        said = answer.choices[0].message.content
        chunks = list(ask(client, "Please erase Dikes2", stream=True))
        waiting = http.get("/api/v1/approvals", params={"pending": "true"}).json()["items"]
    assert "This waits for a person to confirm it in Famulus" in said
    assert "Dikes1" in said
    assert "Dikes2" in "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert len(waiting) >= 2


def test_a_dropped_stream_does_not_stop_the_run(server: Served) -> None:
    with client_of(server) as client, server.client("student") as http:
        stream = ask(client, "Answer slowly.", stream=True)
        first = next(iter(stream))
        stream.close()
        run = "run_" + first.id.removeprefix("chatcmpl-")
        assert http.get(f"/api/v1/runs/{run}").json()["status"] == "running"
        assert http.post(f"/api/v1/runs/{run}/cancel").json()["status"] == "cancelled"


def test_many_at_once(server: Served) -> None:
    with client_of(server) as client, ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: ask(client).choices[0].message.content, range(16)))
    assert set(answers) == {ANSWER}


def test_the_native_door_is_as_it_was(server: Served) -> None:
    """Errors there keep their shape, and an address that is none below `/v1` says so."""
    with server.client("student") as http:
        thread = new_thread(http)
        assert http.post(f"/api/v1/threads/{thread}/runs", json={}).json()["code"] == "invalid"
        assert http.get("/v1/nothing").status_code == 404
