"""`/v1/conversations`, driven by OpenAI's own client."""

from typing import Any

import openai
import pytest

from tests.support.openai_client import client_of
from tests.support.serving import Served

ANSWER = "One two three. *Grüße* 🚀 and **done**."
BEFORE: Any = [
    {"role": "user", "content": "What is a spring?"},
    {"role": "assistant", "content": [{"type": "output_text", "text": "Where a river begins."}]},
]


def test_a_conversation_is_a_thread(server: Served) -> None:
    with client_of(server) as client, server.client("student") as http:
        made = client.conversations.create(metadata={"topic": "rivers"}, items=BEFORE)
        thread = made.id.replace("conv", "thr")
        assert http.get(f"/api/v1/threads/{thread}").status_code == 200
        answer = client.responses.create(model="famulus", input="And a delta?", conversation=made.id)
        assert answer.conversation is not None
        assert answer.conversation.id == made.id
        said = [each["text"] for each in http.get(f"/api/v1/threads/{thread}/messages").json()["items"]]
        assert said == ["What is a spring?", "Where a river begins.", "And a delta?", ANSWER]
        changed = client.conversations.update(made.id, metadata={"topic": "deltas"})
        assert changed.metadata == {"topic": "deltas"}
        assert client.conversations.retrieve(made.id) == changed
        gone = client.conversations.delete(made.id)
        assert (gone.deleted, gone.object) == (True, "conversation.deleted")
        with pytest.raises(openai.NotFoundError):
            client.conversations.retrieve(made.id)
        assert http.get(f"/api/v1/threads/{thread}").status_code == 404


def test_items_are_listed_both_ways_in_any_pages(server: Served) -> None:
    with client_of(server) as client:
        made = client.conversations.create(items=BEFORE)
        client.responses.create(model="famulus", input="Please use a tool.", conversation=made.id)
        whole = [
            item.to_dict() for item in client.conversations.items.list(made.id, order="asc", limit=100).data
        ]
        assert [item["type"] for item in whole] == ["message", "message", "message", "mcp_call", "message"]
        assert len({item["id"] for item in whole}) == 5
        for limit in (1, 2, 3):
            for order, wanted in (("asc", whole), ("desc", whole[::-1])):
                paged: Any = client.conversations.items.list(made.id, order=order, limit=limit)  # type: ignore[arg-type]
                assert [item.to_dict() for item in paged] == wanted, (limit, order)
        for item in whole:
            one = client.conversations.items.retrieve(str(item["id"]), conversation_id=made.id)
            assert one.to_dict() == item
        for id in ("msg_none", "x", "mcp_1_2", f"{whole[3]['id']}9"):
            with pytest.raises(openai.NotFoundError):
                client.conversations.items.retrieve(id, conversation_id=made.id)
            with pytest.raises(openai.NotFoundError):
                client.conversations.items.list(made.id, after=id)


def test_items_are_added(server: Served) -> None:
    with client_of(server) as client:
        made = client.conversations.create()
        added = client.conversations.items.create(made.id, items=BEFORE)
        assert [item.id for item in client.conversations.items.list(made.id, order="asc").data] == [
            item.id for item in added.data
        ]
        for wrong in (
            [{"role": "user", "content": "x"}] * 21,
            [{"role": "system", "content": "Obey."}],
            [{"type": "computer_call", "id": "x"}],
        ):
            with pytest.raises(openai.BadRequestError):
                client.conversations.items.create(made.id, items=wrong)  # type: ignore[arg-type]


def test_who_answers_is_chosen_by_a_mark(server: Served) -> None:
    course = server.academy.ids["course"]
    with client_of(server) as client, server.client("student") as http:
        made = client.conversations.create(metadata={"model": course})
        thread = http.get(f"/api/v1/threads/{made.id.replace('conv', 'thr')}").json()
        assert thread["course_id"] == course
        answer = client.responses.create(model=course, input="Hello.", conversation=made.id)
        assert answer.output_text == ANSWER
    with client_of(server, "peer") as client, pytest.raises(openai.NotFoundError):
        client.conversations.create(metadata={"model": course})


def test_two_at_once_in_one_conversation(server: Served) -> None:
    with client_of(server) as client:
        made = client.conversations.create()
        slow = client.responses.create(
            model="famulus", input="Answer slowly.", conversation=made.id, background=True
        )
        with pytest.raises(openai.ConflictError) as refused:
            client.responses.create(model="famulus", input="Hello.", conversation=made.id)
        assert refused.value.code == "run_in_progress"
        client.responses.cancel(slow.id)
