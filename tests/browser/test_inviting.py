"""What an invitation's link leads to, and a thumb under an answer."""

import pytest
from playwright.sync_api import expect

from famulus.kernel.settings import load_settings
from tests.browser.app import PASSWORD, App
from tests.support.mails import mailed_token

pytestmark = pytest.mark.browser


def invited(app: App, email: str, role: str = "student") -> str:
    """An invitation by the demo's admin; returns the path of the link in its mail."""
    post = app.page.request.post
    signed = post(
        f"{app.famulus.url}/api/auth/login",
        data={"email": "admin@famulus.local", "password": PASSWORD, "session_mode": "api"},
    )
    headers = {"Authorization": f"Bearer {signed.json()['access_token']}"}
    me = app.page.request.get(f"{app.famulus.url}/api/auth/me", headers=headers).json()
    answer = post(
        f"{app.famulus.url}/api/v1/organizations/{me['organization']['id']}/invitations",
        data={"email": email, "role": role},
        headers=headers,
    )
    assert answer.status == 201, answer.text()
    return f"/invitation?token={mailed_token(load_settings(data_dir=app.famulus.folder), email)}"


def test_somebody_new_joins(outside: App):
    link = invited(outside, "ines@example.org", "teacher")
    outside.page.context.clear_cookies()
    outside.page.goto(f"{outside.famulus.url}{link}")

    expect(outside.part("invitation")).to_have_text("You are invited as a teacher, at ines@example.org.")
    expect(outside.page).to_have_url(f"{outside.famulus.url}/invitation")
    outside.part("join-name").fill("Ines")
    outside.part("join-password").fill("short")
    outside.part("join").click()
    expect(outside.part("join-password")).to_have_attribute("aria-invalid", "true")
    outside.part("join-password").fill("long enough to be one")
    outside.part("join").click()

    expect(outside.part("account-menu")).to_contain_text("Ines")
    outside.page.goto(f"{outside.famulus.url}{link}")
    expect(outside.part("invitation-problem")).to_contain_text("not valid any more")
    outside.page.get_by_role("button", name="Go on without it").click()
    expect(outside.part("account-menu")).to_contain_text("Ines")


def test_somebody_with_an_account_signs_in_to_it(outside: App):
    email = "otto@example.org"
    outside.page.request.post(
        f"{outside.famulus.url}/api/auth/signup",
        data={"email": email, "name": "Otto", "password": PASSWORD, "session_mode": "api"},
    )
    link = invited(outside, email)
    outside.page.context.clear_cookies()
    outside.page.goto(f"{outside.famulus.url}{link}")

    expect(outside.part("join-name")).to_have_count(0)
    outside.part("join-password").fill("not the password")
    outside.part("join").click()
    expect(outside.part("join-error")).to_have_text("The password is not right.")
    outside.part("join-password").fill(PASSWORD)
    outside.part("join").click()
    expect(outside.part("account-menu")).to_contain_text("Otto")


def test_a_thumb_is_kept_changed_and_taken_back(app: App):
    app.asked("What is a node?")
    up, down = app.answer.get_by_test_id("thumb-up"), app.answer.get_by_test_id("thumb-down")
    expect(up).to_have_attribute("aria-pressed", "false")
    with app.page.expect_response("**/feedback"):
        up.click()
        expect(up).to_have_attribute("aria-pressed", "true")
    app.page.reload()
    expect(up).to_have_attribute("aria-pressed", "true")
    assert app.stored()[-1]["feedback"] == {"rating": "up", "comment": ""}

    with app.page.expect_response("**/feedback"):
        down.click()
    expect(down).to_have_attribute("aria-pressed", "true")
    expect(up).to_have_attribute("aria-pressed", "false")
    with app.page.expect_response("**/feedback"):
        down.press("Enter")
    expect(down).to_have_attribute("aria-pressed", "false")
    assert app.stored()[-1]["feedback"] is None


def test_a_thumb_that_does_not_arrive_is_taken_back(app: App):
    app.asked("What is a topic?")
    app.page.route("**/feedback", lambda route: route.abort())
    app.answer.get_by_test_id("thumb-down").click()

    expect(app.part("toast")).to_contain_text("Your feedback was not kept.")
    expect(app.answer.get_by_test_id("thumb-down")).to_have_attribute("aria-pressed", "false")
