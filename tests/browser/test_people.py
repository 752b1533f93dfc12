"""The people of an organization and of a course, as their admins and teachers see to them; accounts for site admins."""

import secrets
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.app import STUDENT, App
from tests.browser.test_confirming import ADMIN, TEACHER
from tests.browser.test_looks import in_both_themes, wrong_for_readers
from tests.browser.test_mailed_links import sign_up

pytestmark = pytest.mark.browser
SETTINGS = {"FAMULUS_MODEL": "offline"}
SITE = "site@famulus.local"


def desk(app: App, name: str, page: str, email: str | None = ADMIN) -> None:
    """Open a page of a desk by the side bar, as whoever this is; None is whoever is signed in."""
    if email is not None:
        app.enter(email)
    app.part("show-rail").or_(app.part(f"{name}-link")).first.click()
    if not app.part(f"tab-{page}").count():
        app.part(f"{name}-link").click()
    app.part(f"tab-{page}").click()
    expect(app.part(f"{name}-{page}")).to_be_visible()


def person(app: App, email: str) -> Locator:
    return app.page.locator(f"[data-testid=person][data-email='{email}']")


def opened(app: App, email: str) -> Locator:
    """The person's line, found by the beginning of the address and opened."""
    app.part("people-find").fill(email)
    row = person(app, email)
    expect(app.part("person")).to_have_count(1)
    row.get_by_role("button").first.click()
    return row


@in_both_themes
def test_every_page_can_be_read_and_fits(outside: App) -> None:
    sign_up(outside, f"mail.{secrets.token_hex(4)}@example.org")
    desk(outside, "organization", "organizations", SITE)
    assert not wrong_for_readers(outside)
    outside.part("place").filter(has_text="Demo Academy").get_by_test_id("switch").click()
    expect(outside.composer).to_be_visible()
    desk(outside, "organization", "people", None)
    person(outside, STUDENT).get_by_role("button").first.click()
    person(outside, STUDENT).get_by_test_id("person-role").select_option("teacher")
    for page in (
        "people",
        "invitations",
        "import",
        "figures",
        "triples",
        "keys",
        "audit",
        "accounts",
        "mails",
    ):
        outside.part(f"tab-{page}").click()
        expect(outside.part(f"organization-{page}")).to_be_visible()
        if page == "invitations":
            outside.part("bring-in").click()
        if page == "keys":
            outside.part("new-key").click()
        if page == "mails":
            outside.part("mail").first.get_by_role("button").click()
            expect(outside.part("mail-body")).to_be_visible()
        if page == "audit":
            outside.part("audit-entry").first.get_by_role("button").click()
        assert not wrong_for_readers(outside), page
        assert outside.overflow() <= 0, page


def test_members_are_found_given_roles_and_taken_out(outside: App) -> None:
    email = "mo.member@example.org"
    sign_up(outside, email)
    desk(outside, "organization", "people")
    outside.part("people-role").select_option("organization_admin")
    expect(person(outside, ADMIN)).to_be_visible()
    expect(person(outside, STUDENT)).to_have_count(0)
    outside.part("people-role").select_option("")

    outside.part("bring-in").click()
    outside.part("bring-email").fill("no address")
    outside.part("bring-way").select_option("at_once")
    outside.part("bring-email").fill("nobody.at.all@example.org")
    outside.part("bring-send").click()
    expect(outside.part("manage-problem")).to_be_visible()
    outside.page.get_by_role("button", name="Back").click()

    row = opened(outside, STUDENT)
    row.get_by_test_id("person-role").select_option("teacher")
    row.get_by_test_id("person-role-sure").click()
    expect(row.locator(".person-role")).to_have_text("Teacher")
    row.get_by_test_id("person-role").select_option("student")
    row.get_by_test_id("person-role-sure").click()
    expect(row.locator(".person-role")).to_have_text("Student")

    row = opened(outside, ADMIN)
    row.get_by_test_id("show-activity").click()
    expect(row.get_by_test_id("activity")).to_contain_text("Membership changed")
    row.get_by_test_id("remove-person").click()
    row.get_by_test_id("remove-person-sure").click()
    expect(row.get_by_test_id("manage-problem")).to_contain_text("admin")


def test_an_instructor_is_invited_written_to_again_and_taken_back(outside: App) -> None:
    desk(outside, "organization", "invitations")
    outside.part("bring-in").click()
    expect(outside.part("bring-email")).to_be_focused()
    outside.part("bring-email").fill("ida.instructor@example.org")
    outside.part("bring-role").select_option("teacher")
    outside.part("bring-course").first.check()
    outside.part("bring-send").click()
    row = outside.page.locator("[data-testid=invitation-row][data-email='ida.instructor@example.org']")
    expect(row).to_contain_text("Teacher")
    expect(row).to_contain_text("ROS 2")
    row.get_by_test_id("invite-again").click()
    expect(outside.part("status-region")).to_contain_text("A new link is on its way")
    row.get_by_test_id("withdraw").click()
    row.get_by_test_id("withdraw-sure").click()
    expect(row).to_have_attribute("data-state", "withdrawn")
    outside.part("invitation-state").select_option("open")
    expect(row).to_have_count(0)


def test_a_file_is_looked_at_first_and_then_brought_in(outside: App, tmp_path: Path) -> None:
    people = tmp_path / "people.csv"
    people.write_text("email,name,course\nfay@example.org,Fay,\ngus@example.org,Gus,Alchemy\n", "utf-8")
    desk(outside, "organization", "import")
    outside.part("people-file").set_input_files(people)
    report = outside.part("import-report")
    expect(report).to_have_attribute("data-applied", "false")
    expect(outside.part("line-reports")).to_contain_text("gus@example.org")
    expect(outside.part("line-reports")).to_contain_text("no such course")
    assert not wrong_for_readers(outside)
    outside.part("import-go").click()
    expect(report).to_have_attribute("data-applied", "true")
    expect(outside.part("import-go")).to_have_count(0)
    with outside.page.expect_download() as saved:
        outside.part("export-members").click()
    assert "fay@example.org,Fay,student" in saved.value.path().read_text("utf-8-sig")

    outside.part("tab-people").click()
    row = opened(outside, "fay@example.org")
    row.get_by_test_id("remove-person").click()
    expect(outside.page.get_by_role("button", name="Keep")).to_be_focused()
    row.get_by_test_id("remove-person-sure").click()
    expect(row).to_have_count(0)


@in_both_themes
def test_a_teacher_puts_many_into_a_course_and_takes_one_out(outside: App, tmp_path: Path) -> None:
    desk(outside, "course", "people", TEACHER)
    outside.part("enrol").click()
    listed = tmp_path / "class.csv"
    listed.write_text("role;email\n;both@famulus.local\nstudent;nobody@example.org\n", "utf-8")
    outside.part("people-file").set_input_files(listed)
    outside.part("enrol-go").click()
    expect(outside.part("enrol-report")).to_have_attribute("data-applied", "false")
    expect(outside.part("line-reports").locator("tr[data-outcome=enrolled]")).to_contain_text("2")
    assert not wrong_for_readers(outside)
    assert outside.overflow() <= 0
    outside.part("enrol-valid").click()
    expect(outside.part("enrol-report")).to_have_attribute("data-applied", "true")
    outside.page.get_by_role("button", name="Done").click()

    row = opened(outside, "both@famulus.local")
    row.get_by_test_id("remove-person").click()
    row.get_by_test_id("remove-person-sure").click()
    expect(row).to_have_count(0)


def test_a_site_admin_shuts_an_account_out_lets_it_in_again_and_deletes_it(outside: App) -> None:
    sign_up(outside, "sue.site@example.org")
    desk(outside, "organization", "accounts", SITE)
    row = opened(outside, "sue.site@example.org")
    row.get_by_test_id("verify-account").click()
    expect(row).not_to_contain_text("not confirmed")
    row.get_by_test_id("suspend-account").click()
    row.get_by_test_id("suspend-account-sure").click()
    expect(row).to_contain_text("suspended")
    row.get_by_test_id("restore-account").click()
    expect(row).not_to_contain_text("suspended")
    row.get_by_test_id("remove-account").click()
    row.get_by_test_id("remove-account-sure").click()
    expect(row).to_have_count(0)
    expect(outside.part("status-region")).to_contain_text("is deleted")


def test_a_key_of_the_organization_acts_in_its_role_until_it_is_ended(outside: App) -> None:
    desk(outside, "organization", "keys")
    outside.part("new-key").click()
    outside.part("key-name").fill("Roster sync")
    outside.part("key-role").select_option("teacher")
    outside.part("make-key").click()
    key = outside.part("made-key-text").text_content() or ""
    bare = outside.page.context.browser.new_context()  # pyright: ignore[reportOptionalMemberAccess]
    ask = lambda: bare.request.get(f"{outside.famulus.url}/api/auth/me", headers={"X-API-Key": key})  # noqa: E731
    assert ask().json()["role"] == "teacher"
    row = outside.part("key").filter(has_text="Roster sync")
    row.get_by_test_id("end-key").click()
    row.get_by_test_id("end-key-sure").click()
    expect(row).to_have_attribute("data-ended", "true")
    assert ask().status == 401
    bare.close()


def test_a_student_has_no_desk_but_their_own(app: App) -> None:
    for link in ("course-link", "organization-link"):
        expect(app.part(link)).to_have_count(0)
    for path in ("organization/audit", "course/people"):
        app.page.goto(f"{app.famulus.url}/#/c/general/{path}")
        expect(app.page.get_by_role("heading", name="This page isn’t yours")).to_be_visible()
