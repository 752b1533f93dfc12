"""Figures of a course and of an organization with their chart, and the audit with what was before and after."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from playwright.sync_api import expect

from famulus.kernel.database import Database
from famulus.kernel.settings import load_settings
from tests.browser.app import App
from tests.browser.test_confirming import ADMIN, TEACHER
from tests.browser.test_looks import in_both_themes, wrong_for_readers
from tests.browser.test_people import desk
from tests.insights.past import TODAY, Turn, crowd, had
from tests.support.serving import wait_for

pytestmark = pytest.mark.browser
SETTINGS = {"FAMULUS_MODEL": "offline"}
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def busy(famulus) -> None:
    """The demo's course as it may be after two days: seven people asked on one, two on the other."""

    async def write() -> None:
        database = Database(load_settings(data_dir=famulus.folder).database)
        try:
            async with database.read() as session:
                found = await session.connection()
                row = (
                    await found.exec_driver_sql(
                        "SELECT id, organization_id FROM courses WHERE title LIKE '%ROS 2%'"
                    )
                ).one()
            world = SimpleNamespace(database=database, ours=row[1])
            people = await crowd(world, 7)
            turns = [Turn(one, TODAY - 3 * DAY, row[0], rating="up") for one in people]
            await had(world, *turns, *[Turn(one, TODAY - 2 * DAY, row[0]) for one in people[:2]])
        finally:
            await database.close()

    wait_for(write())


@in_both_themes
@pytest.mark.parametrize(("name", "email"), [("course", TEACHER), ("organization", ADMIN)])
def test_figures_are_drawn_told_and_withheld(outside: App, busy: None, name: str, email: str) -> None:
    desk(outside, name, "figures", email)
    questions = outside.part("figures").locator("div").filter(has_text="Questions")
    expect(questions).to_contain_text("7")
    expect(outside.part("too-few")).to_contain_text("fewer than 5 people")
    chart = outside.part("day-chart")
    expect(chart.locator(".chart-bar[height='0']")).to_have_count(28)
    expect(chart.locator(".chart-untold")).to_have_count(1)
    expect(chart.get_by_role("img")).to_have_accessible_name(
        f"30 days. At most 7 people on one day, {TODAY - 3 * DAY}. 1 day is not told, with fewer than 5 people."
    )
    outside.part("figures-open-table").click()
    expect(outside.part("figures-table").locator("tbody tr").nth(2)).to_contain_text("7")
    assert not wrong_for_readers(outside)
    assert outside.overflow() <= 0
    outside.part("figures-range").select_option("7")
    expect(chart.get_by_role("img")).to_have_accessible_name(
        f"7 days. At most 7 people on one day, {TODAY - 3 * DAY}. "
        "1 day is not told, with fewer than 5 people."
    )


def test_the_audit_is_asked_and_shows_before_and_after(outside: App) -> None:
    outside.enter(ADMIN)
    me = outside.page.request.get(f"{outside.famulus.url}/api/auth/me").json()
    place = f"{outside.famulus.url}/api/v1/organizations/{me['organization']['id']}"
    member = outside.page.request.get(f"{place}/members?q=both@").json()["items"][0]
    for role in ("teacher", "student"):
        assert outside.page.request.patch(f"{place}/members/{member['user_id']}", data={"role": role}).ok
    desk(outside, "organization", "audit")
    outside.part("audit-kind").select_option("membership.")
    entry = outside.part("audit-entry").first
    expect(entry).to_have_attribute("data-action", "membership.change")
    expect(outside.page.locator("[data-testid=audit-entry]:not([data-action^='membership.'])")).to_have_count(
        0
    )
    entry.get_by_role("button").first.click()
    changed = entry.get_by_test_id("audit-changes").locator("tr").filter(has_text="role")
    expect(changed.locator("td").first).to_contain_text("teacher")
    expect(changed.locator("td").last).to_contain_text("student")
    entry.get_by_test_id("audit-same-actor").click()
    expect(outside.part("audit-by")).to_contain_text("done by Alex Admin")
    expect(outside.part("audit-kind")).to_have_value("")
    outside.part("audit-to").fill("2001-01-01")
    expect(outside.part("audit-entry")).to_have_count(0)
