"""What an organization's admin manages of what its assistants may do: connections, their tools, rules, and what waits."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.app import App
from tests.browser.test_confirming import ADMIN, TEACHER, asked, calls, has_task
from tests.browser.test_looks import in_both_themes, wrong_for_readers
from tests.support.mcp_server import ECHO, HostileServer
from tests.support.shop import Shop, open_shop

pytestmark = pytest.mark.browser
SETTINGS = {"FAMULUS_ALLOWED_PRIVATE_HOSTS": '["127.0.0.1"]'}
SHOUT = {
    **ECHO,
    "name": "shout",
    "description": "Say it\u202e louder.",
    "annotations": {"readOnlyHint": True},
}


@pytest.fixture
def library() -> Iterator[HostileServer]:
    """An MCP server with two tools."""
    with HostileServer() as server:
        server.tools = [ECHO, SHOUT]
        yield server


@pytest.fixture
def shop() -> Iterator[Shop]:
    """An API with an OpenAPI document."""
    with open_shop() as opened:
        yield opened


def managing(app: App, page: str = "connections", email: str = ADMIN) -> App:
    app.enter(email)
    app.part("show-rail").or_(app.part("manage-link")).first.click()
    if not app.part(f"manage-{page}").or_(app.part("manage-connections")).count():
        app.part("manage-link").click()
    if page != "connections" and email == ADMIN:
        app.part(f"tab-{page}").click()
    expect(app.part(f"manage-{page}")).to_be_visible()
    return app


def connect(app: App, kind: str, name: str, url: str) -> None:
    """Fill the form by keyboard and send it."""
    app.part("add-connection").press("Enter")
    expect(app.part("connection-kind")).to_be_focused()
    app.part("connection-kind").select_option(kind)
    app.page.keyboard.press("Tab")
    app.page.keyboard.type(name)
    app.page.keyboard.press("Tab")
    app.page.keyboard.type(url)
    app.page.keyboard.press("Enter")


def tool(app: App, name: str) -> Locator:
    return app.page.locator(f"[data-testid=tool-row][data-name={name}]")


def removed(app: App) -> None:
    app.part("remove-connection").click()
    app.part("remove-connection-sure").click()
    expect(app.part("manage-connections")).to_be_visible()


@in_both_themes
def test_tools_of_an_mcp_server_are_looked_at_and_approved(outside: App, library: HostileServer):
    app = managing(outside)
    connect(app, "mcp", "library", library.url)
    expect(app.part("connection-page")).to_contain_text("library")
    expect(app.part("health")).to_have_text("Works")
    expect(tool(app, "shout")).to_contain_text("U+202E")
    expect(tool(app, "echo")).to_have_attribute("data-approval", "new")
    assert not wrong_for_readers(app)
    assert app.overflow() <= 0

    tool(app, "echo").get_by_test_id("choose-tool").check()
    app.part("approve-tools").click()
    expect(tool(app, "echo")).to_have_attribute("data-approval", "approved")
    expect(tool(app, "shout")).to_have_attribute("data-approval", "new")
    tool(app, "echo").get_by_test_id("tool-effect").select_option("reads")
    expect(app.part("status-region")).to_contain_text("only reads")

    library.tools = [{**ECHO, "description": "Say something else."}, SHOUT]
    app.part("test-connection").click()
    expect(tool(app, "echo")).to_have_attribute("data-approval", "changed")
    expect(tool(app, "echo").get_by_test_id("tool-effect")).to_have_value("reads")
    removed(app)


def test_an_api_and_what_its_operations_do(outside: App, shop: Shop):
    app = managing(outside)
    connect(app, "openapi", "shop", f"{shop.url}/openapi.json")
    expect(app.part("health")).to_have_text("Works")
    first = app.part("tool-row").first
    name = first.get_attribute("data-name") or ""
    first.get_by_test_id("tool-effect").select_option("destroys")
    expect(app.part("status-region")).to_contain_text("removes something")
    app.page.reload()
    expect(tool(app, name).get_by_test_id("tool-effect")).to_have_value("destroys")

    app.part("turn-connection").click()
    expect(app.part("health")).to_have_text("Switched off")
    removed(app)
    expect(app.part("connection-item")).to_have_count(0)


def test_what_cannot_be_connected_says_why(outside: App, library: HostileServer):
    app = managing(outside)
    connect(app, "mcp", "Big Library", library.url)
    expect(app.part("connection-name")).to_have_attribute("aria-invalid", "true")
    app.part("connection-name").fill("library")
    app.part("connection-url").fill(f"{library.url}/nowhere/at/all")
    library.answers["server/discover"] = library.answers["initialize"] = lambda handler, _: (
        handler.send_error(500)
    )
    app.part("connect").click()
    expect(app.part("health")).to_have_text("Does not work")
    expect(app.part("connection-problem")).to_be_visible()
    removed(app)


@in_both_themes
def test_rules_are_made_ordered_and_saved(outside: App):
    app = managing(outside, "rules")
    expect(app.part("save-rules")).to_be_disabled()
    app.part("add-rule").press("Enter")
    expect(app.part("rule-tools")).to_be_focused()
    app.page.keyboard.type("archive_*")
    app.part("rule-approver").select_option("organization_admin")
    app.part("add-rule").click()
    app.part("rule-tools").last.fill("not a pattern!")
    app.part("rule-decision").last.select_option("deny")
    app.part("save-rules").click()
    expect(app.part("manage-problem")).to_contain_text("Rule 2")
    app.part("rule-tools").last.fill("crm_*")
    app.page.get_by_role("button", name="Move rule 2 up").click()
    app.part("save-rules").click()
    expect(app.part("save-rules")).to_have_text("Saved")
    assert not wrong_for_readers(app)
    assert app.overflow() <= 0

    app.page.reload()
    expect(app.part("rule")).to_have_count(2)
    expect(app.part("rule-tools").first).to_have_value("crm_*")
    expect(app.part("rule-decision").first).to_have_value("deny")
    for _ in range(2):
        app.part("remove-rule").first.click()
    app.part("save-rules").click()
    expect(app.part("save-rules")).to_have_text("Saved")


def test_an_admin_answers_what_waits_for_their_role(outside: App):
    app = managing(outside, "rules")
    app.part("add-rule").click()
    app.part("rule-tools").fill("delete_task")
    app.part("rule-approver").select_option("organization_admin")
    app.part("save-rules").click()
    expect(app.part("save-rules")).to_have_text("Saved")
    outside.enter(TEACHER)
    has_task(outside, "Sort the archive")
    calls(outside, "delete_task", {"task": "Sort the archive"})
    outside.ask("Remove it.")
    expect(outside.part("approval")).to_contain_text("Waits for an administrator")

    app = managing(outside, "waiting")
    card = app.part("approval")
    expect(card).to_have_count(1)
    expect(app.part("approval-title")).to_have_text("Remove the task “Sort the archive” for good")
    app.part("approve").click()
    expect(card).to_have_attribute("data-state", "approved")
    app.part("look-again").click()
    expect(app.part("nothing-waits")).to_be_visible()
    app.part("tab-rules").click()
    app.part("remove-rule").click()
    app.part("save-rules").click()
    expect(app.part("save-rules")).to_have_text("Saved")


def test_a_teacher_sees_only_what_waits_and_a_student_nothing(app: App):
    expect(app.part("manage-link")).to_have_count(0)
    app.enter(TEACHER)
    has_task(app, "Empty the shelf")
    calls(app, "delete_task", {"task": "Empty the shelf"})
    asked(app)
    app.part("manage-link").click()
    expect(app.part("tab-rules")).to_have_count(0)
    app.part("deny").click()
    app.part("deny-send").click()
    expect(app.part("approval")).to_have_attribute("data-state", "denied")
    app.page.goto(f"{app.famulus.url}/#/c/general/manage/rules")
    expect(app.page.get_by_role("heading", name="This page isn’t yours")).to_be_visible()
