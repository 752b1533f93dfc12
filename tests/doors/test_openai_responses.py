"""`/v1/responses`, driven by OpenAI's own client."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import openai
import pytest
from openai import OpenAI

from tests.support.openai_client import client_of
from tests.support.serving import Served

ANSWER = "One two three. *Grüße* 🚀 and **done**."
WEATHER: Any = {
    "type": "function",
    "name": "get_weather",
    "description": "Says how the weather is.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    "strict": False,
}
WORDS = (
    "response.created", "response.in_progress", "response.output_item.added", "response.content_part.added",
    "response.output_text.delta", "response.output_text.done", "response.content_part.done",
    "response.output_item.done", "response.completed",
)  # fmt: skip


def ask(client: OpenAI, words: Any = "Hello.", **options: Any) -> Any:
    return client.responses.create(**{"model": "famulus", "input": words, **options})


def ended(client: OpenAI, id: str) -> Any:
    """A response once it has ended."""
    give_up = time.monotonic() + 20
    while time.monotonic() < give_up:
        found = client.responses.retrieve(id)
        if found.status not in ("queued", "in_progress"):
            return found
        time.sleep(0.05)
    raise AssertionError("the response did not end")


def test_an_answer_at_once(server: Served) -> None:
    with client_of(server) as client:
        answer = ask(client, metadata={"lesson": "3"}, instructions="Be brief.", reasoning={"effort": "low"})
        again = client.responses.retrieve(answer.id)
        [item] = client.responses.input_items.list(answer.id).data
    assert answer.object == "response"
    assert (answer.status, answer.output_text) == ("completed", ANSWER)
    assert answer.usage.total_tokens == answer.usage.input_tokens + answer.usage.output_tokens > 0
    assert (answer.metadata, answer.instructions, answer.model) == ({"lesson": "3"}, "Be brief.", "famulus")
    assert answer.reasoning.effort == "low"
    assert again == answer
    assert (item.type, item.content[0].text) == ("message", "Hello.")


def test_an_answer_as_it_is_written(server: Served) -> None:
    with client_of(server) as client:
        events = list(ask(client, stream=True))
        kept = client.responses.retrieve(events[0].response.id)
    assert tuple(dict.fromkeys(event.type for event in events)) == WORDS
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert "".join(event.delta for event in events if event.type == "response.output_text.delta") == ANSWER
    assert events[0].response.status == "in_progress"
    assert events[0].response.output == []
    assert events[-1].response == kept
    items = {event.item.id for event in events if event.type.startswith("response.output_item")}
    assert items == {kept.output[0].id}


def test_the_client_s_own_helper_puts_it_together(server: Served) -> None:
    with (
        client_of(server) as client,
        client.responses.stream(model="famulus", input="Please use a tool.") as stream,
    ):
        kinds = [event.type for event in stream]
        answer = stream.get_final_response()
    assert answer.output_text == "You have some courses."
    assert [item.type for item in answer.output] == ["mcp_call", "message"]
    call: Any = answer.output[0]
    assert (call.name, call.server_label, call.error) == ("list_my_courses", "famulus", None)
    assert server.academy.ids["course"] in call.output
    assert kinds.index("response.mcp_call.completed") < kinds.index("response.output_text.delta")


def test_the_client_s_tools_are_called_by_the_client(server: Served) -> None:
    with client_of(server) as client:
        answer = ask(client, "How is the weather?", tools=[WEATHER])
        [call] = answer.output
        assert (call.type, call.name, call.arguments) == ("function_call", "get_weather", '{"city": "Bonn"}')
        result = {"type": "function_call_output", "call_id": call.call_id, "output": "Rain."}
        after = ask(client, [result], previous_response_id=answer.id, tools=[WEATHER])
        assert after.output_text == "It rains in Bonn."
        assert after.previous_response_id == answer.id
        [item] = client.responses.input_items.list(after.id).data
        assert (item.type, item.output) == ("function_call_output", "Rain.")
        with client.responses.stream(model="famulus", input="The weather?", tools=[WEATHER]) as stream:
            kinds = [event.type for event in stream]
            assert stream.get_final_response().output[0].type == "function_call"
        assert "response.function_call_arguments.done" in kinds
        whole = ask(client, [{"role": "user", "content": "The weather?"}, call.to_dict(), result])
        assert whole.output_text == "It rains in Bonn.", "and without anything kept here"


def test_going_on_from_a_response(server: Served) -> None:
    """From its newest it is the same thread; from one that others have followed, a copy up to there."""
    with client_of(server) as client, server.client("student") as http:
        first = ask(client, "My first.")
        second = ask(client, "My second.", previous_response_id=first.id)
        fork = ask(client, "My fork.", previous_response_id=first.id)
        threads = [
            http.get(f"/api/v1/runs/{each.id.replace('resp', 'run')}").json()["thread_id"]
            for each in (first, second, fork)
        ]
        assert threads[0] == threads[1] != threads[2]
        said = [
            [message["text"] for message in http.get(f"/api/v1/threads/{each}/messages").json()["items"]]
            for each in threads[1:]
        ]
        assert said[0] == ["My first.", ANSWER, "My second.", ANSWER]
        assert said[1] == ["My first.", ANSWER, "My fork.", ANSWER]
        with pytest.raises(openai.BadRequestError) as refused:
            ask(client, model=server.academy.ids["course"], previous_response_id=first.id)
        assert refused.value.param == "model"


def test_in_the_background(server: Served) -> None:
    with client_of(server) as client:
        answer = ask(client, "Hello.", background=True)
        assert answer.status in ("queued", "in_progress", "completed")
        assert answer.background is True
        assert ended(client, answer.id).output_text == ANSWER


def test_cancelled_it_keeps_what_was_written(server: Served) -> None:
    with client_of(server) as client:
        stream = ask(client, "Answer slowly.", stream=True, background=True)
        kinds: list[str] = []
        for event in stream:
            kinds.append(event.type)
            if event.type == "response.output_text.delta":
                gone = client.responses.cancel(next_id(event.item_id))
        assert gone.status == "cancelled"
        assert client.responses.cancel(gone.id).status == "cancelled"
        assert kinds[-1] == "response.incomplete"
        assert client.responses.retrieve(gone.id).output_text.startswith("word")


def next_id(item_id: str) -> str:
    """The id of the response that an item belongs to."""
    return "resp_" + item_id.split("_")[1]


def test_a_stream_is_taken_up_again_anywhere(server: Served) -> None:
    """Dropped, it does not stop the run; with the last number seen, what is left comes, live or later."""
    with client_of(server) as client:
        stream = ask(client, "Answer slowly.", stream=True, background=True)
        first: list[Any] = []
        for event in stream:
            first.append(event)
            if len(first) == 12:
                break
        stream.close()
        id, seen = first[0].response.id, first[-1].sequence_number
        rest = client.responses.retrieve(id, stream=True, starting_after=seen)
        second = [next(iter(rest)) for _ in range(1)]
        client.responses.cancel(id)
        second += list(rest)
        whole = list(client.responses.retrieve(id, stream=True))
        later = list(client.responses.retrieve(id, stream=True, starting_after=seen))
        nothing = list(client.responses.retrieve(id, stream=True, starting_after=whole[-1].sequence_number))
    numbers = [event.sequence_number for event in [*first, *second]]
    assert numbers == list(range(len(numbers)))
    assert [event.to_dict() for event in whole] == [event.to_dict() for event in [*first, *second]]
    assert later == second
    assert nothing == []


def test_deleted_it_is_gone(server: Served) -> None:
    with client_of(server) as client, server.client("student") as http:
        first = ask(client)
        second = ask(client, previous_response_id=first.id)
        thread = http.get(f"/api/v1/runs/{first.id.replace('resp', 'run')}").json()["thread_id"]
        client.responses.delete(first.id)
        with pytest.raises(openai.NotFoundError) as gone:
            client.responses.retrieve(first.id)
        assert gone.value.code == "run_not_found"
        assert client.responses.retrieve(second.id).output_text == ANSWER
        client.responses.delete(second.id)
        assert http.get(f"/api/v1/threads/{thread}").status_code == 404
        live = ask(client, "Answer slowly.", background=True)
        with pytest.raises(openai.ConflictError):
            client.responses.delete(live.id)
        client.responses.cancel(live.id)


def test_what_is_not_to_be_kept_shows_nowhere(server: Served) -> None:
    with client_of(server) as client, server.client("student") as http:

        def threads() -> list[str]:
            return [each["id"] for each in http.get("/api/v1/threads").json()["items"]]

        before = threads()
        answer = ask(client, store=False)
        assert (answer.store, answer.output_text) == (False, ANSWER)
        assert threads() == before


def test_a_model_that_fails(server: Served) -> None:
    with client_of(server) as client:
        answer = ask(client, "Please fail.")
        assert (answer.status, answer.error.code) == ("failed", "model_request_refused")
        events = list(ask(client, "Please fail.", stream=True))
        assert events[-1].type == "response.failed"
        assert events[-1].response.error.code == "model_request_refused"


def test_a_yes_is_said_by_a_person(server: Served) -> None:
    """The call that waits is an item; a person's yes or no goes on with the same response, a key's is refused."""
    with client_of(server) as client, server.client("student") as http:
        waits = ask(client, "Please erase Weirs1")
        request = waits.output[-1]
        assert (waits.status, request.type, request.name) == (
            "completed",
            "mcp_approval_request",
            "delete_task",
        )
        assert "Weirs1" in request.title
        yes: Any = {"type": "mcp_approval_response", "approval_request_id": request.id, "approve": True}
        wish = {"name": "openai approvals", "scopes": ["chat", "read", "write"]}
        key = http.post("/api/v1/api-keys", json=wish).json()["key"]
        with (
            client_of(server, api_key=key) as program,
            pytest.raises(openai.PermissionDeniedError) as refused,
        ):
            ask(program, [yes], previous_response_id=waits.id)
        assert refused.value.code == "needs_person"
        done = ask(client, [yes], previous_response_id=waits.id)
        assert (done.id, done.output_text) == (waits.id, "It is erased.")
        assert [item.type for item in done.output] == ["mcp_call", "mcp_call", "message"]
        with pytest.raises(openai.NotFoundError):
            ask(client, [{**yes, "approval_request_id": "mcpr_1"}], previous_response_id=waits.id)
        other = ask(client, "Please erase Weirs2")
        no = {**yes, "approval_request_id": other.output[-1].id, "approve": False}
        events = list(ask(client, [no], previous_response_id=other.id, stream=True))
        assert events[-1].response.output[1].error.startswith("The person said no")


@pytest.mark.parametrize(
    ("wrong", "code", "parameter"),
    [
        ({"max_tool_calls": 2}, "unsupported_parameter", "max_tool_calls"),
        ({"text": {"format": {"type": "xml"}}}, "unsupported_parameter", "text.format"),
        ({"text": {"format": {"type": "json_schema", "name": "x"}}}, "invalid_value", "text.format"),
        ({"text": {"format": {"type": "json_object"}}}, "format_not_supported", ""),
        ({"tools": [{"type": "web_search"}]}, "unsupported_parameter", "tools[0]"),
        ({"extra_body": {"nonsense": 1}}, "unknown_parameter", "nonsense"),
        ({"input": []}, "invalid_value", "input"),
        ({"input": " "}, "invalid_value", "input"),
        ({"input": [{"type": "computer_call", "id": "x"}]}, "unsupported_content", "input[0]"),
        (
            {"input": [{"role": "user", "content": [{"type": "input_image", "image_url": "x"}]}]},
            "unsupported_content",
            "input[0].content[0]",
        ),
        (
            {"conversation": "conv_1", "previous_response_id": "resp_1"},
            "invalid_value",
            "previous_response_id",
        ),
        ({"metadata": {"a" * 65: "b"}}, "invalid_value", "metadata"),
        ({"reasoning": {"effort": "much"}}, "invalid_value", "reasoning.effort"),
    ],
)
def test_what_is_wrong_is_named(embedded: Served, wrong: Any, code: str, parameter: str) -> None:
    with client_of(embedded) as client, pytest.raises(openai.BadRequestError) as refused:
        client.responses.create(**{"model": "famulus", "input": "Hello.", **wrong})
    assert refused.value.code == code
    assert (refused.value.param or "").startswith(parameter)


def test_nobody_reaches_another_s(server: Served) -> None:
    """Every way that names a response or a conversation, as everybody else: as if there were none."""
    with client_of(server) as mine:
        conversation = mine.conversations.create(items=[{"role": "user", "content": "Secret."}])
        answer = ask(mine, "Secret.", conversation=conversation.id)
        item = mine.conversations.items.list(conversation.id).data[0]
    for who in ("classmate", "teacher", "admin", "their_admin", "site"):
        with client_of(server, who) as other:
            ways: list[Any] = [
                lambda c: c.responses.retrieve(answer.id),
                lambda c: c.responses.retrieve(answer.id, stream=True),
                lambda c: c.responses.cancel(answer.id),
                lambda c: c.responses.delete(answer.id),
                lambda c: c.responses.input_items.list(answer.id),
                lambda c: ask(c, previous_response_id=answer.id),
                lambda c: ask(c, conversation=conversation.id),
                lambda c: c.conversations.retrieve(conversation.id),
                lambda c: c.conversations.update(conversation.id, metadata={}),
                lambda c: c.conversations.delete(conversation.id),
                lambda c: c.conversations.items.list(conversation.id),
                lambda c: c.conversations.items.create(
                    conversation.id, items=[{"role": "user", "content": "x"}]
                ),
                lambda c: c.conversations.items.retrieve(item.id, conversation_id=conversation.id),
            ]
            for number, way in enumerate(ways):
                with pytest.raises(openai.NotFoundError):
                    assert way(other) is None, (who, number)
    with client_of(server) as mine:
        assert mine.responses.retrieve(answer.id).output_text == ANSWER


def test_nobody_is_let_in_without_a_key(server: Served) -> None:
    with server.client() as http:
        for method, path in (
            ("GET", "models"), ("GET", "models/famulus"), ("POST", "chat/completions"), ("POST", "responses"),
            ("GET", "responses/resp_1"), ("DELETE", "responses/resp_1"), ("POST", "responses/resp_1/cancel"),
            ("GET", "responses/resp_1/input_items"), ("POST", "conversations"), ("GET", "conversations/conv_1"),
            ("POST", "conversations/conv_1"), ("DELETE", "conversations/conv_1"),
            ("GET", "conversations/conv_1/items"), ("POST", "conversations/conv_1/items"),
            ("GET", "conversations/conv_1/items/msg_1"),
        ):  # fmt: skip
            refused = http.request(method, f"/v1/{path}")
            assert refused.status_code == 401, path
            assert refused.json()["error"]["code"] == "unauthenticated"


def test_ids_that_are_none(server: Served) -> None:
    with client_of(server) as client:
        for id in ("x", "run_1", "resp_", "resp_" + "x" * 300, "resp_ä", "resp_%00", "resp_..", "conv_1"):
            with pytest.raises((openai.NotFoundError, openai.BadRequestError)):
                client.responses.retrieve(id)


def test_many_streams_at_once(server: Served) -> None:
    with client_of(server) as client, ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: list(ask(client, stream=True))[-1].response.output_text, range(16)))
    assert set(found) == {ANSWER}
