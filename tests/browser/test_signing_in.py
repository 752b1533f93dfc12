"""The way in and out: the form, the demo's sign-ins, an own account, a session that ends within a sentence."""

import pytest
from playwright.sync_api import expect

from tests.browser.app import PASSWORD, STUDENT, App

pytestmark = pytest.mark.browser
SETTINGS = {"FAMULUS_MODEL": "offline"}
COURSE = "Introduction to Robotics with ROS 2"


def test_a_wrong_password_is_told_in_words_and_the_demo_fills_the_form(outside: App):
    outside.page.goto(outside.famulus.url)
    expect(outside.part("sign-in-email")).to_be_focused()
    outside.part("sign-in-email").fill(STUDENT)
    outside.part("sign-in-password").fill("not the password")
    outside.part("sign-in-submit").click()
    expect(outside.part("sign-in-error")).to_have_text("The email or the password is not right.")
    expect(outside.part("sign-in-error")).to_have_attribute("role", "alert")
    expect(outside.part("sign-in-email")).to_have_value(STUDENT)

    outside.page.locator(f"[data-email='{STUDENT}']").click()
    expect(outside.part("sign-in-password")).to_have_value(PASSWORD)
    expect(outside.part("sign-in-form")).to_be_visible()
    outside.part("sign-in-submit").click()

    expect(outside.part("rail").get_by_test_id("course-title")).to_have_text(COURSE)
    expect(outside.part("account-menu")).to_contain_text("Sam Student")
    expect(outside.composer).to_be_focused()
    outside.part("course-switcher").click()
    expect(outside.part("course-item").first).to_contain_text("Demo Academy")


def test_an_own_account(outside: App):
    outside.page.goto(outside.famulus.url)
    outside.part("sign-up-switch").click()
    outside.part("sign-in-name").fill("Ada")
    outside.part("sign-in-email").fill("ada@example.org")
    outside.part("sign-in-password").fill("short")
    outside.part("sign-in-submit").click()
    expect(outside.page.locator("#password-wrong")).to_be_visible()
    expect(outside.part("sign-in-password")).to_have_attribute("aria-invalid", "true")
    outside.part("sign-in-password").fill("long enough to be one")
    outside.part("sign-in-submit").click()
    expect(outside.part("account-menu")).to_contain_text("Ada")
    expect(outside.part("empty-state")).to_contain_text("belongs to no course")


def test_a_session_that_ends_costs_no_word(app: App):
    app.composer.fill("A question that took a while to write")
    app.page.context.clear_cookies()
    app.part("send").click()

    expect(app.page.get_by_role("dialog")).to_contain_text("What you were writing is kept")
    expect(app.part("sign-in-password")).to_be_focused()
    expect(app.part("sign-in-email")).to_have_value(STUDENT)
    app.part("sign-in-password").fill(PASSWORD)
    app.part("sign-in-submit").click()
    expect(app.page.get_by_role("dialog")).to_have_count(0)
    expect(app.question).to_contain_text("A question that took a while to write")
    app.part("retry").click()
    app.ended()
    assert [message["role"] for message in app.stored()] == ["user", "assistant"]


def test_a_draft_outlives_a_session_that_ends_and_a_reload(app: App):
    app.composer.fill("Half a thought")
    app.page.context.clear_cookies()
    app.page.reload()
    expect(app.part("sign-in-form")).to_be_visible()
    app.enter()
    expect(app.composer).to_have_value("Half a thought")


def test_signing_out_shows_nothing_more(app: App):
    app.part("account-menu").click()
    app.part("sign-out").click()
    expect(app.part("sign-in-form")).to_be_visible()
    app.page.reload()
    expect(app.part("sign-in-form")).to_be_visible()
    expect(app.part("rail")).to_have_count(0)
