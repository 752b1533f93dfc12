"""One's own account: profile, address, password, sessions, keys and organizations, each as a person comes to it."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.app import App
from tests.browser.test_looks import in_both_themes, wrong_for_readers
from tests.browser.test_mailed_links import link, sign_up

pytestmark = pytest.mark.browser
SETTINGS = {"FAMULUS_MODEL": "offline"}
OWN_PASSWORD = "long enough to be one"
NEW_PASSWORD = "another one that is long"


def account(app: App, page: str = "profile") -> None:
    """Open one's own account by its menu."""
    app.page.goto(app.famulus.url)
    expect(app.composer).to_be_visible()
    app.part("show-rail").or_(app.part("account-menu")).first.click()
    if not app.part("account-link").count():
        app.part("account-menu").click()
    app.part("account-link").click()
    if page != "profile":
        app.part(f"tab-{page}").click()
    expect(app.part(f"account-{page}")).to_be_visible()


def newcomer(app: App, name: str) -> str:
    """Somebody who has just signed up, and is signed in here; returns the address."""
    email = f"{name}@example.org"
    sign_up(app, email)
    return email


@in_both_themes
def test_every_page_of_the_account_can_be_read_and_fits(app: App) -> None:
    assert not [url for url in app.record.requests if "Desk" in url], "the chat does without their code"
    account(app)
    for page in ("profile", "password", "sessions", "keys"):
        app.part(f"tab-{page}").click()
        expect(app.part(f"account-{page}")).to_be_visible()
        if page == "keys":
            app.part("new-key").click()
        assert not wrong_for_readers(app), page
        assert app.overflow() <= 0, page


def test_a_profile_is_kept_and_facts_are_removed(outside: App) -> None:
    newcomer(outside, "ada.profile")
    account(outside)
    expect(outside.part("save-profile")).to_be_disabled()
    outside.part("profile-name").fill("Ada L.")
    outside.part("profile-locale").select_option("de")
    outside.part("fact-experience_level").select_option("expert")
    outside.part("fact-preferred_language").fill("no language!")
    outside.part("add-fact").click()
    outside.part("own-fact").locator("input").first.fill("Favourite robot")
    outside.part("own-fact").locator("input").last.fill("R2")
    outside.part("save-profile").click()
    expect(outside.part("fact-preferred_language")).to_have_attribute("aria-invalid", "true")
    outside.part("fact-preferred_language").fill("de")
    outside.part("save-profile").click()
    expect(outside.part("save-profile")).to_have_text("Saved")
    expect(outside.part("account-menu")).to_contain_text("Ada L.")

    outside.page.reload()
    expect(outside.part("fact-experience_level")).to_have_value("expert")
    expect(outside.part("own-fact").locator("input").first).to_have_value("favourite_robot")
    outside.part("own-fact").get_by_role("button").click()
    outside.part("fact-experience_level").select_option("")
    outside.part("save-profile").click()
    expect(outside.part("save-profile")).to_have_text("Saved")
    me = outside.page.request.get(f"{outside.famulus.url}/api/auth/me").json()["user"]
    assert (me["name"], me["locale"], me["profile"]) == ("Ada L.", "de", {"preferred_language": "de"})


def test_an_address_is_confirmed_and_moved_by_mail(outside: App) -> None:
    newcomer(outside, "ada.moves")
    first = link(outside, "verify")
    account(outside)
    expect(outside.part("address-state")).to_have_text("Not confirmed yet")
    outside.part("send-verification").click()
    expect(outside.part("toast")).to_contain_text("ada.moves@example.org")
    second = link(outside, "verify")
    assert second != first
    outside.page.goto(second)
    outside.part("verify-submit").click()
    expect(outside.part("verify-done")).to_contain_text("ada.moves@example.org")
    outside.part("onward").click()
    account(outside)
    expect(outside.part("address-state")).to_have_text("Confirmed")

    outside.part("move-address").click()
    outside.part("new-address").fill("ada.moved@example.org")
    outside.part("address-password").fill("not the password")
    outside.part("move-address-send").click()
    expect(outside.part("manage-problem")).to_contain_text("password is not right")
    outside.part("address-password").fill(OWN_PASSWORD)
    outside.part("move-address-send").click()
    expect(outside.part("address-form")).to_have_count(0)
    outside.page.goto(link(outside, "verify"))
    outside.part("verify-submit").click()
    expect(outside.part("verify-done")).to_contain_text("ada.moved@example.org is yours")


def test_a_password_is_changed_and_other_sessions_end(outside: App) -> None:
    email = newcomer(outside, "ada.password")
    elsewhere = outside.page.context.browser.new_context()  # pyright: ignore[reportOptionalMemberAccess]
    signed = elsewhere.request.post(
        f"{outside.famulus.url}/api/auth/login",
        data={"email": email, "password": OWN_PASSWORD, "session_mode": "web"},
    )
    assert signed.ok
    account(outside, "password")
    outside.part("current-password").fill("not the password")
    outside.part("new-password").fill(NEW_PASSWORD)
    outside.part("save-password").click()
    expect(outside.part("manage-problem")).to_contain_text("not right")
    outside.part("current-password").fill(OWN_PASSWORD)
    outside.part("new-password").fill("short")
    outside.part("save-password").click()
    expect(outside.part("new-password")).to_have_attribute("aria-invalid", "true")
    outside.part("new-password").fill(NEW_PASSWORD)
    outside.part("save-password").click()
    expect(outside.part("toast")).to_contain_text("every other session has ended")
    assert elsewhere.request.get(f"{outside.famulus.url}/api/auth/me").status == 401
    elsewhere.close()


def test_sessions_are_seen_and_ended(outside: App) -> None:
    email = newcomer(outside, "ada.sessions")
    for _ in range(3):
        signed = outside.page.request.post(
            f"{outside.famulus.url}/api/auth/login",
            data={"email": email, "password": OWN_PASSWORD, "session_mode": "api"},
        )
        assert signed.ok
    account(outside, "sessions")
    expect(outside.part("session")).to_have_count(4)
    expect(outside.page.locator("[data-testid=session][data-current=true]")).to_contain_text("This one")
    outside.part("end-session").first.click()
    expect(outside.part("session")).to_have_count(3)
    outside.part("end-others").click()
    expect(outside.page.get_by_role("button", name="Leave them")).to_be_focused()
    outside.part("end-others-sure").click()
    expect(outside.part("session")).to_have_count(1)


def test_a_key_is_shown_once_used_and_ended(outside: App) -> None:
    email = newcomer(outside, "ada.keys")
    account(outside, "keys")
    outside.part("new-key").click()
    outside.part("key-name").fill("My script")
    outside.part("scope-chat").check()
    outside.part("key-life").select_option("365")
    outside.part("make-key").click()
    key = outside.part("made-key-text").text_content() or ""
    assert re.fullmatch(r"fmk_[\w-]{20,}", key)
    with_key = {"X-API-Key": key}
    bare = outside.page.context.browser.new_context()  # pyright: ignore[reportOptionalMemberAccess]
    me = bare.request.get(f"{outside.famulus.url}/api/auth/me", headers=with_key)
    assert me.json()["user"]["email"] == email
    outside.page.reload()
    expect(outside.part("key")).to_contain_text("see")
    expect(outside.part("made-key")).to_have_count(0)
    assert key not in outside.page.content()
    outside.part("end-key").click()
    outside.part("end-key-sure").click()
    expect(outside.part("key")).to_have_attribute("data-ended", "true")
    assert bare.request.get(f"{outside.famulus.url}/api/auth/me", headers=with_key).status == 401
    bare.close()


def test_an_account_is_deleted_by_its_owner_with_the_password(outside: App) -> None:
    email = newcomer(outside, "ada.leaves")
    account(outside)
    with outside.page.expect_download() as download:
        outside.part("export-me").click()
    assert email in download.value.path().read_text("utf-8")
    outside.part("delete-password").fill("not the password")
    outside.part("delete-account").click()
    expect(outside.page.get_by_role("button", name="Keep it")).to_be_focused()
    outside.part("delete-account-sure").click()
    expect(outside.part("manage-problem")).to_contain_text("not right")
    outside.part("delete-password").fill(OWN_PASSWORD)
    outside.part("delete-account").click()
    outside.part("delete-account-sure").click()
    expect(outside.part("sign-in-form")).to_be_visible()
    again = {"email": email, "password": OWN_PASSWORD, "session_mode": "web"}
    assert outside.page.request.post(f"{outside.famulus.url}/api/auth/login", data=again).status == 401


def test_whoever_belongs_to_several_organizations_goes_from_one_to_the_other(outside: App) -> None:
    outside.enter("both@famulus.local")
    account(outside)
    here = outside.part("place").filter(has_text="You are here").text_content()
    outside.part("switch").click()
    expect(outside.composer).to_be_visible()
    account(outside)
    expect(outside.part("place").filter(has_text="You are here")).not_to_have_text(here or "")
