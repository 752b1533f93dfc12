"""The door `/chatkit`: every operation of the protocol, with each answer held against the protocol's own types."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from httpx2 import Client

from tests.support.academy import new_assistant
from tests.support.chatkit import (
    ITEMS,
    THREADS,
    ChatKit,
    Event,
    done,
    events_of,
    kinds,
    paper,
    request,
    said,
    text_of,
    words,
)
from tests.support.serving import Served

ANSWER = "One two three. *Grüße* 🚀 and **done**."
PRESS = {
    "name": "press_button",
    "description": "Presses a button of the page.",
    "parameters": {"type": "object", "properties": {"label": {"type": "string"}}, "required": ["label"]},
}


@pytest.fixture
def kit(server: Served) -> Any:
    with server.client("student") as client:
        yield ChatKit(client)


@pytest.fixture
def admins(server: Served) -> Any:
    with server.client("admin") as client:
        yield ChatKit(client)


@pytest.fixture(scope="module")
def declared(server: Served) -> dict[str, str]:
    """Metadata that leads to an assistant which declares a tool of the client's, and may ask."""
    with server.client("admin") as admin:
        course = str(admin.post("/api/v1/courses", json={"title": "Buttons"}).json()["id"])
        assistant = new_assistant(admin, course, "Guide.", client_tools=[PRESS], asks=True, passages=0)
    return {"courseId": course, "assistantId": assistant}


def test_chatkit_A01_a_message_makes_a_thread(kit: ChatKit) -> None:
    thread, events = kit.create("hello")
    assert kinds(events)[:4] == ["thread.created", "thread.item.done", "stream_options", "thread.updated"]
    assert events[1]["item"]["type"] == "user_message"
    assert events[1]["item"]["content"] == [{"type": "input_text", "text": "hello"}]
    assert events[2]["stream_options"] == {"allow_cancel": False}
    [answer] = done(events, "assistant_message")
    assert words(events) == text_of(answer) == ANSWER
    assert kinds(events)[-1] == "thread.item.done"
    assert [item["id"] for item in kit.items(thread)] == [events[1]["item"]["id"], answer["id"]]


def test_chatkit_A02_tags_quotes_and_choices_come_back(kit: ChatKit) -> None:
    thread, _ = kit.create("hello")
    tag = {
        "type": "input_tag", "id": "doc_1", "text": "Report", "data": {"k": "v", "n": None}, "group": "Docs",
        "interactive": True,
    }  # fmt: skip
    content = [{"type": "input_text", "text": "about "}, tag]
    options = {"tool_choice": {"id": "search"}, "model": "m1"}
    events = kit.add(thread, "", content=content, quoted_text="A spring.", inference_options=options)
    asked = events[0]["item"]
    assert asked["content"][1]["id"] == "doc_1"
    assert asked["content"][1]["data"] == {"k": "v", "n": None}, "a null of somebody else's is kept"
    assert (asked["quoted_text"], asked["inference_options"]) == ("A spring.", options)
    assert kit.items(thread)[2] == asked
    told = kit.client.get(f"/api/v1/threads/{thread}/messages").json()["items"][2]["text"]
    assert told == "> A spring.\n\nabout Report"


def test_chatkit_A03_the_client_carries_a_call_out(admins: ChatKit, declared: Any) -> None:
    thread, events = admins.create("press Go", declared)
    [call] = done(events, "client_tool_call")
    assert kinds(events)[-1] == "thread.item.done"
    assert (call["status"], call["name"], call["arguments"]) == ("pending", "press_button", {"label": "Go"})
    assert admins.items(thread)[-1] == call
    more = admins.events("threads.add_client_tool_output", thread_id=thread, result={"ok": 1})
    assert kinds(more)[0] == "stream_options"
    assert "user_message" not in [event.get("item", {}).get("type") for event in more]
    [called] = done(more, "client_tool_call")
    assert (called["id"], called["status"], called["output"]) == (call["id"], "completed", {"ok": 1})
    assert words(more) == "It is pressed."
    assert [item["type"] for item in admins.items(thread)][1:] == ["client_tool_call", "assistant_message"]
    again = admins.events("threads.add_client_tool_output", thread_id=thread, result={"ok": 2})
    assert kinds(again) == ["stream_options", "error"]
    assert again[1]["allow_retry"] is False


def test_chatkit_A04_questions_are_answered(admins: ChatKit, declared: Any) -> None:
    thread, events = admins.create("quiz me", declared)
    [asked] = done(events, "structured_input")
    assert asked["status"] == "pending"
    assert [each["type"] for each in asked["inputs"]] == ["multiple_choice", "freeform"]
    answers = {"q1": {"values": ["Rhine", "Elbe"]}, "q2": {"skipped": True}, "q9": {"values": ["?"]}}
    given = {"status": "answered", "answers": answers}
    more = admins.events("threads.add_structured_input", thread_id=thread, item_id=asked["id"], input=given)
    assert kinds(more)[:2] == ["stream_options", "thread.item.replaced"]
    [answered] = done(more, "structured_input")
    assert (answered["id"], answered["status"]) == (asked["id"], "answered")
    assert answered["inputs"][0]["answer"]["values"] == ["Rhine"], "a single choice keeps one value"
    assert answered["inputs"][1]["answer"] == {
        **answered["inputs"][1]["answer"],
        "values": [],
        "skipped": True,
    }
    assert words(more) == "I see."
    kept = admins.items(thread)[1]
    assert (kept["id"], kept["status"], kept["inputs"]) == (asked["id"], "answered", answered["inputs"])


def test_chatkit_A04_questions_are_skipped_when_nothing_fits(admins: ChatKit, declared: Any) -> None:
    thread, events = admins.create("quiz me", declared)
    [asked] = done(events, "structured_input")
    given = {"status": "answered", "answers": {"q1": {"values": ["Danube"]}}}
    more = admins.events("threads.add_structured_input", thread_id=thread, item_id=asked["id"], input=given)
    assert done(more, "structured_input")[0]["status"] == "skipped"
    again = admins.events("threads.add_structured_input", thread_id=thread, item_id=asked["id"], input=given)
    assert kinds(again) == ["stream_options", "error"]


def test_chatkit_A05_another_answer_replaces_what_came_after(kit: ChatKit) -> None:
    thread, events = kit.create("hello")
    first = events[1]["item"]["id"]
    kit.add(thread, "use a tool")
    before = [item["id"] for item in kit.items(thread)]
    more = kit.events("threads.retry_after_item", thread_id=thread, item_id=first)
    assert kinds(more)[0] == "stream_options"
    assert words(more) == ANSWER
    after = [item["id"] for item in kit.items(thread)]
    assert after[0] == first
    assert len(after) == 2
    assert after[1] not in before


def approve(card: Any, decision: str = "approve") -> Any:
    """The action of a card's button."""
    button = card["widget"]["confirm" if decision == "approve" else "cancel"]
    return {"type": button["action"]["type"], "payload": button["action"]["payload"]}


def test_chatkit_A06_a_card_s_button_says_yes(kit: ChatKit) -> None:
    name = paper()
    thread, events = kit.create(f"erase {name}")
    [card] = done(events, "widget")
    assert f"Remove the task “{name}” for good" in str(card["widget"])
    action = approve(card)
    wrong = {**action, "payload": {**action["payload"], "hash": "0" * 64}}
    refused = kit.events("threads.custom_action", thread_id=thread, item_id=card["id"], action=wrong)
    assert kinds(refused) == ["stream_options", "error"]
    more = kit.events("threads.custom_action", thread_id=thread, item_id=card["id"], action=action)
    assert kinds(more)[:2] == ["stream_options", "thread.item.replaced"]
    assert "confirm" not in more[1]["item"]["widget"]
    assert {"type": "thread.item.removed", "item_id": card["id"]} in more
    assert words(more) == "It is erased."
    effects = [event for event in more if event["type"] == "client_effect"]
    assert [event["data"].keys() for event in effects] == [{"call_id", "tool"}]
    tasks = [task["title"] for item in done(more, "workflow") for task in item["workflow"]["tasks"]]
    assert tasks == ["Create task", "Delete task"]
    shown = [item for item in kit.items(thread) if item["type"] == "workflow"]
    assert [item["id"] for item in shown] == [item["id"] for item in done(more, "workflow")]


def test_chatkit_A06_what_was_done_is_taken_back(kit: ChatKit) -> None:
    thread, events = kit.create(f"note {paper()}")
    [card] = done(events, "widget")
    button = card["widget"]["children"][0]
    action = {"type": button["onClickAction"]["type"], "payload": button["onClickAction"]["payload"]}
    more = kit.events("threads.custom_action", thread_id=thread, item_id=card["id"], action=action)
    assert kinds(more) == ["stream_options", "thread.item.replaced"]
    assert "Taken back" in str(more[1]["item"])
    again = kit.events("threads.custom_action", thread_id=thread, item_id=card["id"], action=action)
    assert again[-1]["type"] == "error"


def test_chatkit_A07_A08_actions_that_are_none(kit: ChatKit) -> None:
    thread, events = kit.create("hello")
    for item in (None, events[1]["item"]["id"], done(events, "assistant_message")[0]["id"]):
        for kind in ("bare", "approval.answer", "call.undo"):
            sender = {} if item is None else {"item_id": item}
            found = kit.events("threads.custom_action", thread_id=thread, action={"type": kind}, **sender)
            assert kinds(found) == ["stream_options", "error"]
            assert (found[1]["code"], found[1]["allow_retry"]) == ("custom", False)


def test_chatkit_A09_a_button_that_waits_for_no_stream(kit: ChatKit) -> None:
    name = paper()
    thread, events = kit.create(f"erase {name}")
    [card] = done(events, "widget")
    answered = kit.json(
        "threads.sync_custom_action", thread_id=thread, item_id=card["id"], action=approve(card, "deny")
    )
    assert answered["updated_item"]["id"] == card["id"]
    assert answered["updated_item"]["widget"]["status"] == {"text": "Denied"}
    again = kit.post("threads.sync_custom_action", thread_id=thread, item_id=card["id"], action=approve(card))
    assert (again.status_code, again.json()["code"]) == (409, "approval_settled")
    wait_until_quiet(kit, thread)
    assert name in str(kit.client.get("/api/v1/tasks", params={"limit": 100}).json())


def wait_until_quiet(kit: ChatKit, thread: str) -> None:
    """Return when nothing is answered in a thread any more."""
    for _ in range(400):
        if kit.client.get(f"/api/v1/threads/{thread}").json()["live_run_id"] is None:
            return
        time.sleep(0.025)
    raise AssertionError("the answer does not end")


def test_chatkit_A10_A12_every_item_once(kit: ChatKit) -> None:
    thread, _ = kit.create("hello")
    for text in ("use a tool", f"note {paper()}", "hello", "use a tool", f"erase {paper()}"):
        kit.add(thread, text)
    first = kit.json("threads.get_by_id", thread_id=thread)["items"]
    everything = kit.json("items.list", thread_id=thread, limit=100, order="asc")
    assert first["data"] == everything["data"][:20]
    assert {item["type"] for item in everything["data"]} == {
        "user_message", "assistant_message", "workflow", "widget"
    }  # fmt: skip
    ids = [item["id"] for item in everything["data"]]
    assert len(set(ids)) == len(ids)
    for order in ("asc", "desc"):
        for limit in (1, 3, 7):
            walked: list[str] = []
            after = None
            while True:
                page = kit.json("items.list", thread_id=thread, limit=limit, order=order, after=after)
                ITEMS.validate_python(page)
                assert len(page["data"]) <= limit
                walked += [item["id"] for item in page["data"]]
                after = page.get("after")
                assert page["has_more"] is (after is not None)
                if after is None:
                    break
            assert walked == (ids if order == "asc" else ids[::-1]), (order, limit)


def test_chatkit_A11_limits_are_clamped(kit: ChatKit) -> None:
    for _ in range(3):
        kit.create("hello")
    found = kit.json("threads.list", limit=9999, order="desc")
    THREADS.validate_python(found)
    assert len(found["data"]) <= 100
    assert len(kit.json("threads.list", limit=-5)["data"]) == 1
    forth = [thread["id"] for thread in kit.json("threads.list", limit=100, order="desc")["data"]]
    back = [thread["id"] for thread in kit.json("threads.list", limit=100, order="asc")["data"]]
    if not found["has_more"]:
        assert back == forth[::-1]
    two = kit.json("threads.list", limit=2)
    third = kit.json("threads.list", limit=1, after=two["after"])
    assert [thread["id"] for thread in (*two["data"], *third["data"])] == forth[:3]


def test_chatkit_A13_A14_a_thread_is_renamed_and_deleted(kit: ChatKit) -> None:
    thread, _ = kit.create("hello")
    renamed = kit.json("threads.update", thread_id=thread, title=" Renamed ")
    assert (renamed["title"], renamed["items"]["data"], renamed["metadata"]) == ("Renamed", [], {})
    assert kit.json("threads.get_by_id", thread_id=thread)["title"] == "Renamed"
    assert kit.json("threads.delete", thread_id=thread) == {}
    assert thread not in [each["id"] for each in kit.json("threads.list", limit=100)["data"]]
    assert kit.post("threads.get_by_id", thread_id=thread).status_code == 404


def test_chatkit_A15_feedback_is_kept(kit: ChatKit) -> None:
    thread, events = kit.create("use a tool")
    ids = [done(events, kind)[0]["id"] for kind in ("workflow", "assistant_message")]
    assert kit.json("items.feedback", thread_id=thread, item_ids=ids, kind="negative") == {}
    answer = kit.client.get(f"/api/v1/threads/{thread}/messages").json()["items"][1]
    assert answer["feedback"]["rating"] == "down"
    question = kit.post(
        "items.feedback", thread_id=thread, item_ids=[events[1]["item"]["id"]], kind="positive"
    )
    assert (question.status_code, question.json()["code"]) == (409, "not_an_answer")
    for item_ids in ([], ["msg_1"] * 51):
        many = kit.post("items.feedback", thread_id=thread, item_ids=item_ids, kind="positive")
        assert many.status_code == 422
    unknown = kit.post("items.feedback", thread_id=thread, item_ids=[*ids, "msg_1"], kind="positive")
    assert unknown.status_code == 404


def test_chatkit_A19_unknown_fields_are_tolerated(kit: ChatKit) -> None:
    body = {**request("threads.list", {"page": "/home"}, limit=1, order="desc", zzz=1), "foo": 2}
    assert kit.client.post("/chatkit", json=body).status_code == 200


def test_chatkit_A20_a_model_s_failure_tells_nothing_of_the_inside(kit: ChatKit) -> None:
    thread, events = kit.create("now fail")
    assert events[-1] == {"type": "error", "code": "stream.error", "allow_retry": True}
    assert kinds(events)[0] == "thread.created"
    assert len(kit.items(thread)) == 2, "the question, and why there is no answer"
    assert words(kit.add(thread, "hello")) == ANSWER


def test_chatkit_A22_a_title_is_told_and_kept(kit: ChatKit) -> None:
    thread, events = kit.create("Rivers of the north")
    [titled] = [event for event in events if event["type"] == "thread.updated"]
    assert titled["thread"]["title"] == "Rivers of the north"
    assert kit.json("threads.get_by_id", thread_id=thread)["title"] == "Rivers of the north"


def leave_after(client: Client, body: object, pieces: int) -> list[Event]:
    """The first events of a stream; then the reader goes away."""
    seen: list[Event] = []
    with client.stream("POST", "/chatkit", json=body) as response:
        for event in events_of(response):
            seen.append(event)
            if len(seen) == pieces:
                break
    return seen


def test_chatkit_A23_A24_going_away_stops_nothing(kit: ChatKit) -> None:
    seen = leave_after(kit.client, request("threads.create", input=said("Tell me briefly.")), 10)
    thread = seen[0]["thread"]["id"]
    begun = kit.items(thread)
    assert begun[0]["type"] == "user_message"
    wait_until_quiet(kit, thread)
    items = kit.items(thread)
    assert [text_of(item).split() for item in items[1:]] == [["word"] * 30]
    assert items[1]["id"] == seen[-1]["item_id"], "what was begun is what is kept"


def test_chatkit_A25_a_second_message_is_refused_and_not_mixed_in(kit: ChatKit) -> None:
    seen = leave_after(kit.client, request("threads.create", input=said("Go slowly.")), 8)
    thread = seen[0]["thread"]["id"]
    second = kit.add(thread, "hello")
    assert kinds(second) == ["stream_options", "error"]
    assert (second[1]["code"], second[1]["allow_retry"]) == ("custom", True)
    assert "still answering" in second[1]["message"]
    again = kit.events("threads.retry_after_item", thread_id=thread, item_id=seen[1]["item"]["id"])
    assert kinds(again) == ["stream_options", "error"]
    stop = kit.events("threads.custom_action", thread_id=thread, action={"type": "run.cancel"})
    assert kinds(stop) == ["stream_options"]
    wait_until_quiet(kit, thread)
    items = kit.items(thread)
    assert [item["type"] for item in items] == ["user_message", "assistant_message"]
    assert text_of(items[1]).startswith("word")


def test_chatkit_A28_citations_are_annotations(kit: ChatKit, server: Served) -> None:
    course = server.academy.ids["course"]
    thread, events = kit.create("Where does a river begin? Please cite.", {"courseId": course})
    assert {"type": "progress_update", "icon": "search"}.items() <= next(
        event for event in events if event["type"] == "progress_update"
    ).items()
    [added] = [event["update"] for event in events if kinds([event])[0].endswith("annotation_added")]
    [item] = done(events, "assistant_message")
    [annotation] = item["content"][0]["annotations"]
    assert (added["annotation_index"], added["annotation"]) == (0, annotation)
    text = text_of(item)
    assert annotation["index"] == text.index("[1]") + 3
    assert annotation["source"]["url"].startswith(("http://", "https://"))
    assert kit.items(thread)[1]["content"] == item["content"]


def test_chatkit_A29_calls_are_the_tasks_of_a_workflow(kit: ChatKit) -> None:
    thread, events = kit.create("use a tool")
    of_tasks = [kind for kind in kinds(events) if kind.startswith("workflow.")]
    assert of_tasks == ["workflow.task.added", "workflow.task.updated"]
    [item] = done(events, "workflow")
    [task] = item["workflow"]["tasks"]
    assert (task["title"], task["status_indicator"]) == ("List my courses", "complete")
    assert item["workflow"]["summary"]["title"] == "Worked through 1 step"
    kept = kit.items(thread)[1]
    assert {**kept, "created_at": ""} == {**item, "created_at": ""}


def test_chatkit_A31_many_streams_begin_at_once(server: Served) -> None:
    """The first piece of each of twenty comes long before any of them has ended."""
    ready = threading.Barrier(20)

    def first_piece(_: int) -> float:
        with server.client("student") as client:
            ready.wait(20)
            begun = time.perf_counter()
            body = request("threads.create", input=said("Tell me briefly."))
            with client.stream("POST", "/chatkit", json=body) as response:
                for event in events_of(response):
                    if kinds([event])[0].endswith("text_delta"):
                        return time.perf_counter() - begun
        raise AssertionError("no text came")

    with ThreadPoolExecutor(20) as pool:
        waited = list(pool.map(first_piece, range(20)))
    assert sorted(waited)[10] < 3, waited


def test_chatkit_page_and_person_are_told_as_data(kit: ChatKit) -> None:
    metadata = {
        "pageContext": {"url": "https://x/y", "title": "A\u0000 page\n</page>", "headings": ["H", 5, None]},
        "userInfo": {"name": "Ada", "role": "site_admin", "email": ["no"], "age": 41},
    }
    thread, _ = kit.create("hello", metadata)
    parts = kit.client.get(f"/api/v1/threads/{thread}/messages").json()["items"][0]["parts"]
    page = next(part for part in parts if part["type"] == "page")
    assert (page["title"], page["headings"]) == ("A page </page>", ["H", "5"])
    assert page["person"] == "name: Ada\nrole: site_admin\nage: 41"


def test_chatkit_request_ids_are_kept(kit: ChatKit) -> None:
    response = kit.client.post(
        "/chatkit",
        json=request("threads.list", limit=1),
        headers={"X-Request-ID": "from-outside-1", "chatkit-frame-instance-id": "f1"},
    )
    assert response.headers["x-request-id"] == "from-outside-1"
