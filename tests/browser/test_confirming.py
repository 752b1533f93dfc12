"""Calls that wait for a person, on the screen: shown as they are, answered, kept over a reload, taken back."""

import json
import re
from collections.abc import Generator
from contextlib import contextmanager
from uuid import uuid4

import pytest
from playwright.sync_api import APIResponse, Locator, Route, expect

from tests.browser.app import PASSWORD, STUDENT, App
from tests.browser.test_looks import DARK, PHONE, wrong_for_readers

pytestmark = pytest.mark.browser
TEACHER, ADMIN = "teacher@famulus.local", "admin@famulus.local"
NARROW = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
HOSTILE = "gpj.\u202eexe\u200b <img src=x onerror=\"window.hacked='card'\"> **bold** [link](https://evil.example/) &amp;"


def entered(app: App, email: str = TEACHER) -> App:
    app.enter(email)
    return app


def has_task(app: App, title: str, description: str = "") -> str:
    """A task of the person who is signed in, and its id."""
    given = {"title": title, "description": description}
    response = app.page.request.post(f"{app.famulus.url}/api/v1/tasks", data=given)
    assert response.ok, response.text()
    return str(response.json()["id"])


def tasks(app: App) -> list[str]:
    """The titles of the person's tasks."""
    response = app.page.request.get(f"{app.famulus.url}/api/v1/tasks?limit=100")
    assert response.ok, response.text()
    return [item["title"] for item in response.json()["items"]]


def calls(app: App, tool: str, arguments: dict[str, object], text: str = "That is settled.") -> None:
    """The model calls this tool once, then says `text`."""
    app.famulus.replies(f"@tool {tool} {json.dumps(arguments)}\n{text}")


def asked(app: App, text: str = "Remove it.") -> Locator:
    """Ask for something that has to be confirmed; its card."""
    app.ask(text)
    card = app.part("approval")
    expect(card).to_have_attribute("data-state", "waiting")
    expect(app.answer).to_have_attribute("data-state", "waiting")
    expect(app.part("approve")).to_be_enabled()
    return card


def test_nothing_is_removed_before_somebody_says_yes(outside: App):
    app = entered(outside)
    task = has_task(app, "Grade the labs")
    calls(app, "delete_task", {"task": "Grade the labs"})
    card = asked(app)
    expect(card).to_be_focused()
    expect(card).to_have_attribute("data-effect", "destroys")
    expect(app.part("approval-title")).to_have_text("Remove the task “Grade the labs” for good")
    expect(app.part("approval-arguments")).to_contain_text(task)
    expect(app.part("approval-until")).to_contain_text("Waits until")
    expect(app.part("status-region")).to_contain_text("Remove the task “Grade the labs” for good")
    expect(app.part("reconnecting")).to_have_count(0)
    app.page.wait_for_timeout(1_500)  # nobody comes back to a stream that has ended rightly
    followed = [url for url in app.record.requests if "/events?" in url or url.endswith("/events")]
    assert not [url for url in followed if "/runs/" in url]
    assert "Grade the labs" in tasks(app)

    app.page.keyboard.press("Tab")
    expect(app.part("approve")).to_be_focused()
    app.page.keyboard.press("Enter")
    app.ended()
    expect(card).to_have_count(0)
    expect(app.answer_text).to_have_text("That is settled.")
    line = app.part("tool-line")
    expect(line).to_have_attribute("data-state", "ok")
    expect(line.locator("summary")).to_have_text("Removed the task “Grade the labs”.")
    assert "Grade the labs" not in tasks(app)
    expect(app.composer).to_be_focused()


def test_a_no_is_told_with_its_reason(outside: App):
    app = entered(outside, ADMIN)
    has_task(app, "Renew the licences")
    calls(app, "delete_task", {"task": "Renew the licences"}, "Then it stays.")
    asked(app)
    app.part("deny").click()
    expect(app.part("deny-reason")).to_be_focused()
    app.page.keyboard.press("Escape")  # closes the form, and stops nothing
    expect(app.part("deny")).to_be_visible()
    app.part("deny").click()
    app.part("deny-reason").fill("Not before June")
    app.page.keyboard.press("Enter")
    app.ended()
    expect(app.answer_text).to_have_text("Then it stays.")
    line = app.part("tool-line")
    expect(line).to_have_attribute("data-state", "denied")
    expect(line.locator("summary")).to_contain_text("not done")
    line.locator("summary").click()
    expect(line).to_contain_text("Not before June")
    assert "Renew the licences" in tasks(app)


def test_a_reload_keeps_the_card(outside: App):
    app = entered(outside)
    has_task(app, "Book a room")
    calls(app, "delete_task", {"task": "Book a room"})
    asked(app)
    app.page.reload()
    expect(app.part("approval")).to_have_attribute("data-state", "waiting")
    expect(app.part("approval-title")).to_have_text("Remove the task “Book a room” for good")
    expect(app.part("message")).to_have_count(2)
    expect(app.part("stop")).to_be_visible()
    app.part("approve").click()
    app.ended()
    assert "Book a room" not in tasks(app)
    expect(app.part("message")).to_have_count(2)


def test_a_killed_server_forgets_no_card(outside: App):
    app = entered(outside)
    has_task(app, "Order cables")
    calls(app, "delete_task", {"task": "Order cables"})
    asked(app)
    app.famulus.kill()
    app.part("approve").click()
    expect(app.part("approval-problem")).to_contain_text("cannot be reached")
    app.famulus.start()
    app.part("approve").click()
    app.ended()
    assert "Order cables" not in tasks(app)


def test_stopping_withdraws_what_waits(outside: App):
    app = entered(outside)
    has_task(app, "Water the plants")
    calls(app, "delete_task", {"task": "Water the plants"})
    card = asked(app)
    app.part("stop").click()
    app.ended("stopped")
    expect(card).to_have_count(0)
    expect(app.part("send")).to_be_visible()
    assert "Water the plants" in tasks(app)
    app.page.reload()
    app.ended("stopped")
    expect(card).to_have_count(0)


def test_one_call_after_another(outside: App):
    app = entered(outside)
    has_task(app, "First of two")
    has_task(app, "Second of two")
    first, second = (
        '@tool delete_task {"task": "First of two"}',
        '@tool delete_task {"task": "Second of two"}',
    )
    app.famulus.replies(f"{first}\n{second}\nBoth are settled.")
    asked(app)
    app.part("approve").click()
    expect(app.part("approval-title")).to_contain_text("Second of two")
    expect(app.part("approval")).to_be_focused()
    app.part("deny").click()
    app.part("deny-send").click()
    app.ended()
    found = tasks(app)
    assert "First of two" not in found
    assert "Second of two" in found


def test_another_call_than_the_one_that_was_asked_for(outside: App):
    app = entered(outside)
    has_task(app, "Keep this one")
    other = has_task(app, "Not that one")
    calls(app, "delete_task", {"task": "Keep this one"})
    asked(app)
    app.part("approval-edit").click()
    field = app.part("edit-field")
    expect(field).to_be_focused()
    field.fill("no such task anywhere")
    app.part("edit-send").click()
    expect(app.part("approval-problem")).to_contain_text("no task 'no such task anywhere'")
    expect(field).to_have_value("no such task anywhere")
    field.fill(other)
    expect(app.part("edit-send")).to_have_text("Approve with changes")
    app.part("edit-send").click()
    app.ended()
    found = tasks(app)
    assert "Keep this one" in found
    assert "Not that one" not in found
    app.part("tool-line").locator("summary").click()
    expect(app.part("tool-line")).to_contain_text("Asked for, before it was changed")


def test_another_window_hears_of_the_answer(outside: App):
    app = entered(outside)
    has_task(app, "Seen in two windows")
    calls(app, "delete_task", {"task": "Seen in two windows"})
    asked(app)
    other = App(app.page.context.new_page(), app.famulus, app.record)
    other.page.goto(app.page.url)
    expect(other.part("approve")).to_be_enabled()
    other.part("approve").click()
    other.ended()
    app.page.bring_to_front()
    app.ended()
    expect(app.part("approval")).to_have_count(0)


@contextmanager
def ruled(app: App, *rules: dict[str, str]) -> Generator[None]:
    """The organization has these rules for tools, meanwhile."""
    api = app.page.context.browser
    assert api
    admin = api.new_context()
    url = app.famulus.url
    given = {"email": ADMIN, "password": PASSWORD, "session_mode": "web"}
    assert admin.request.post(f"{url}/api/auth/login", data=given).ok
    organization = admin.request.get(f"{url}/api/auth/me").json()["organization"]["id"]
    address = f"{url}/api/v1/organizations/{organization}/tool-rules"
    response = admin.request.put(address, data={"rules": list(rules)})
    assert response.ok, response.text()
    try:
        yield
    finally:
        assert admin.request.put(address, data={"rules": []}).ok
        admin.close()


def test_who_may_not_answer_has_no_buttons(outside: App):
    app = entered(outside, STUDENT)
    has_task(app, "Asked by a student")
    calls(app, "delete_task", {"task": "Asked by a student"})
    with ruled(app, {"tools": "delete_task", "decision": "ask", "approver": "organization_admin"}):
        app.ask("Remove it, please.")
        card = app.part("approval")
        expect(card).to_contain_text("Waits for an administrator of the organization.")
        expect(app.part("approve")).to_have_count(0)
        expect(app.part("deny")).to_have_count(0)
        app.part("stop").click()
        app.ended("stopped")


def test_M03_hostile_arguments_are_seen_and_do_nothing(outside: App):
    app = entered(outside)
    calls(app, "create_task", {"title": HOSTILE, "description": HOSTILE * 60})
    with ruled(app, {"tools": "create_task", "decision": "ask"}):
        asked(app, "Add something.")
        given = app.part("approval-arguments")
        text = given.inner_text()
        assert "gpj.⟦U+202E⟧exe⟦U+200B⟧ <img src=x onerror=" in text
        assert "**bold** [link](https://evil.example/) &amp;" in text
        assert text.count("&amp;") == 61  # nothing is cut off
        for box in given.locator(".exact").all():
            assert box.evaluate("box => getComputedStyle(box).unicodeBidi") == "plaintext"
        assert app.part("approval").locator("img, a, script, b, strong, [onerror]").count() == 0
        assert not re.search("[\u202a-\u202e\u2066-\u2069\u200b]", app.part("approval").inner_text())
        assert app.overflow() <= 0
        app.part("approval-edit").click()
        title = app.part("edit-field").first
        assert "\\u202e" in title.input_value()
        app.page.keyboard.press("Escape")
        app.part("approve").click()
        app.ended()
    assert app.page.evaluate("window.hacked") is None
    assert HOSTILE in tasks(app)
    said = app.part("tool-line").locator("summary").inner_text()
    assert "⟦U+202E⟧" in said
    assert app.part("tool-line").locator("img, a").count() == 0
    expect(app.part("undo")).to_contain_text("⟦U+202E⟧")


@pytest.mark.parametrize("context", [NARROW], indirect=True)
def test_M03_a_very_long_argument_scrolls_in_its_place(outside: App):
    app = entered(outside)
    long = "unbroken" * 1_200
    arguments: dict[str, object] = {"title": "Long", "description": long}
    calls(app, "create_task", arguments)
    with ruled(app, {"tools": "create_task", "decision": "ask"}):
        asked(app, "Add something long.")
        assert app.overflow() <= 0
        box = app.part("approval-arguments").locator(".exact").last
        assert long in box.inner_text()
        assert box.evaluate("box => box.scrollHeight > box.clientHeight")
        assert box.get_attribute("tabindex") == "0"
        assert app.part("approval").evaluate("card => card.scrollWidth <= card.clientWidth")
        app.part("stop").click()
        app.ended("stopped")


def test_what_was_done_is_taken_back_once(outside: App):
    app = entered(outside)
    calls(app, "create_task", {"title": "Only for now"}, "Added.")
    app.asked("Add a task.")
    expect(app.part("tool-line").locator("summary")).to_have_text("Added “Only for now” to your tasks.")
    assert "Only for now" in tasks(app)
    undo = app.part("undo")
    expect(undo).to_have_text("Remove “Only for now” again")
    undo.click()
    expect(app.part("undone")).to_have_text("Taken back")
    assert "Only for now" not in tasks(app)
    app.page.reload()
    expect(app.part("undone")).to_have_text("Taken back")
    expect(undo).to_have_count(0)


def test_what_cannot_be_taken_back_is_said(outside: App):
    app = entered(outside)
    calls(app, "create_task", {"title": "Gone before"}, "Added.")
    app.asked("Add a task.")
    found = app.page.request.get(f"{app.famulus.url}/api/v1/tasks?limit=100").json()["items"]
    task = next(item["id"] for item in found if item["title"] == "Gone before")
    assert app.page.request.delete(f"{app.famulus.url}/api/v1/tasks/{task}").ok
    app.part("undo").click()
    expect(app.part("toast")).to_contain_text("It was not taken back.")
    expect(app.part("undo")).to_be_enabled()


def test_what_could_follow_is_one_press_away(outside: App):
    app = entered(outside)
    app.famulus.replies('@tool create_task {"title": "With a sequel"}\nAdded.', "Here they are.")
    app.asked("Add a task.")
    step = app.part("next-step")
    expect(step).to_have_text("Show my tasks")
    step.click()
    expect(app.question).to_contain_text("Show my tasks")
    app.ended()
    expect(app.answer_text).to_have_text("Here they are.")
    expect(step).to_have_count(0)


def test_an_unknown_outcome_is_called_that_and_looked_into(outside: App):
    app = entered(outside)
    calls(app, "create_task", {"title": "Perhaps"}, "Added, or not.")
    app.asked("Add a task.")

    def forget(route: Route) -> None:
        response = route.fetch()
        text = response.text().replace('"status":"ok"', '"status":"unknown"')
        route.fulfill(response=response, body=text)

    app.page.route("**/api/v1/threads/*/messages?*", forget)
    app.page.reload()
    line = app.part("tool-line")
    expect(line.locator("summary")).to_contain_text("it is not known whether this took effect")
    app.page.unroute_all()
    app.famulus.replies("It is there.")
    app.part("check-outcome").click()
    expect(app.question).to_contain_text(
        "Please check whether “Create task” took effect; only look, change nothing."
    )
    app.ended()


@pytest.mark.parametrize("context", [{}, PHONE | DARK], indirect=True)
def test_a_card_can_be_read_and_fits(outside: App):
    app = entered(outside)
    title = f"Readable by everybody, number {len(tasks(app))}"
    has_task(app, title)
    calls(app, "delete_task", {"task": title})
    asked(app)
    assert not wrong_for_readers(app)
    assert app.overflow() <= 0
    for form in ("deny", "approval-edit"):
        app.part(form).click()
        assert not wrong_for_readers(app)
        assert app.overflow() <= 0
        app.page.get_by_role("button", name="Back").click()
    app.part("stop").click()
    app.ended("stopped")


BUTTON = {
    "name": "press_button",
    "description": "Press a button of the page.",
    "parameters": {"type": "object", "properties": {"label": {"type": "string"}}, "required": ["label"]},
}


def asked_on_a_page(app: App, call: str) -> None:
    """A conversation in another page waits for what that page does; here it is opened."""
    app.enter(ADMIN)
    request, url = app.page.request, app.famulus.url

    def post(path: str, body: object) -> APIResponse:
        answer = request.post(f"{url}{path}", data=body)
        assert answer.ok, answer.text()
        return answer

    course = post("/api/v1/courses", {"title": f"Buttons {uuid4().hex}"}).json()["id"]
    settings = {"client_tools": [BUTTON], "asks": True, "passages": 0}
    guide = {
        "scope": "course",
        "course_id": course,
        "name": "Guide",
        "instructions": "Help.",
        "settings": settings,
    }
    assistant = post("/api/v1/assistants", guide).json()["id"]
    app.famulus.replies(f"{call}\nThen I leave it.")
    said = {
        "content": [{"type": "input_text", "text": "Press it."}],
        "attachments": [],
        "inference_options": {},
    }
    create = {"type": "threads.create", "params": {"input": said}}
    post("/chatkit", create | {"metadata": {"courseId": course, "assistantId": assistant}})
    [thread] = request.get(f"{url}/api/v1/threads?course_id={course}").json()["items"]
    app.page.goto(f"{url}/#/c/{course}/t/{thread['id']}")
    app.page.reload()  # it knows the courses of when it was opened


@pytest.mark.parametrize("context", [{}, PHONE | DARK], indirect=True)
@pytest.mark.parametrize(
    ("call", "told"),
    [
        ('@tool press_button {"label": "Go"}', ["The page does this.", "press_button", "Go"]),
        (
            '@tool ask_person {"questions": [{"question": "Which river?", "options": ["Rhine", "Elbe"]}]}',
            ["The assistant asks something.", "Which river?"],
        ),
    ],
)
def test_what_another_page_does_is_not_to_be_approved_here(outside: App, call: str, told: list[str]):
    asked_on_a_page(outside, call)
    card = outside.part("page-call")
    expect(card).to_have_attribute("data-state", "waiting")
    expect(card).to_contain_text("Waits for the page that offered it")
    for words in told:
        expect(card).to_contain_text(words)
    for wrong in ("approve", "deny", "approval-edit"):
        expect(outside.part(wrong)).to_have_count(0)
    assert not wrong_for_readers(outside)
    assert outside.overflow() <= 0
    outside.part("page-call-cancel").click()
    outside.ended()
    expect(outside.answer_text).to_have_text("Then I leave it.")
    expect(outside.part("tool-line")).to_have_attribute("data-state", "denied")
