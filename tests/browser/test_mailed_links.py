"""Links by mail in a browser: a forgotten password, a confirmed address; the token stays nowhere."""

import re
import time
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Request, expect

from tests.browser.app import App

pytestmark = pytest.mark.browser
SETTINGS = {"FAMULUS_MODEL": "offline"}
NEW = "an entirely new password"


def sign_up(app: App, email: str) -> None:
    account = {"email": email, "password": "long enough to be one", "name": "Ada", "session_mode": "web"}
    response = app.page.request.post(f"{app.famulus.url}/api/auth/signup", data=account)
    assert response.ok, response.text()


def link(app: App, purpose: str) -> str:
    """The newest link of this kind in the log, which is where a server without mail on one's own machine shows it."""
    for _ in range(100):
        found = re.findall(rf"http://127\.0\.0\.1:\d+/{purpose}\?token=[\w-]+", app.famulus.log())
        if found:
            return str(found[-1])
        time.sleep(0.1)
    raise AssertionError(f"no link to {purpose}:\n{app.famulus.log()[-2000:]}")


def test_a_forgotten_password(outside: App) -> None:
    sign_up(outside, "ada.forgets@example.org")
    outside.page.context.clear_cookies()
    outside.page.goto(outside.famulus.url)
    outside.part("sign-in-email").fill("ada.forgets@example.org")
    outside.part("forgot-password").click()
    expect(outside.part("mailed-email")).to_have_value("ada.forgets@example.org")
    expect(outside.part("mailed-email")).to_be_focused()
    outside.part("forgot-submit").click()
    expect(outside.part("forgot-sent")).to_contain_text("a link is on its way")

    asked: list[Request] = []
    outside.page.on("request", lambda request: asked.append(request))
    mailed = link(outside, "reset")
    token = urlsplit(mailed).query.partition("=")[2]
    outside.page.goto(mailed)
    expect(outside.part("mailed-password")).to_be_focused()
    assert token not in outside.page.url
    assert "token" not in outside.page.evaluate("JSON.stringify(history.state) + location.href")
    outside.part("mailed-password").fill("short")
    outside.part("reset-submit").click()
    expect(outside.part("mailed-problem")).to_contain_text("at least 8")
    outside.part("mailed-password").fill(NEW)
    outside.part("reset-submit").click()
    expect(outside.part("reset-done")).to_be_visible()
    outside.part("onward").click()
    outside.part("sign-in-email").fill("ada.forgets@example.org")
    outside.part("sign-in-password").fill(NEW)
    outside.part("sign-in-submit").click()
    expect(outside.part("account-menu")).to_contain_text("Ada")
    assert not [each.url for each in asked if token in each.headers.get("referer", "")]

    outside.page.goto(mailed)
    outside.part("mailed-password").fill(NEW)
    outside.part("reset-submit").click()
    expect(outside.part("mailed-problem")).to_contain_text("not valid any more")


def test_an_address_is_confirmed_by_a_click(outside: App) -> None:
    sign_up(outside, "ada.confirms@example.org")
    mailed = link(outside, "verify")
    outside.page.goto(mailed)
    expect(outside.part("verify-submit")).to_be_visible()
    assert "token" not in outside.page.url
    me = outside.page.request.get(f"{outside.famulus.url}/api/auth/me").json()
    assert me["user"]["email_verified"] is False, (
        "the visit alone says nothing: mails are looked into by programs"
    )
    outside.part("verify-submit").click()
    expect(outside.part("verify-done")).to_contain_text("ada.confirms@example.org is yours")
    outside.part("onward").click()
    expect(outside.part("account-menu")).to_contain_text("Ada")


@pytest.mark.parametrize(
    "path", ["verify", "verify?token=", "reset?token=%20", "verify/?token=never-given-out"]
)
def test_a_link_that_is_none_says_so_and_lets_one_go_on(outside: App, path: str) -> None:
    outside.page.goto(f"{outside.famulus.url}/{path}")
    if path.startswith("reset"):
        outside.part("mailed-password").fill(NEW)
        outside.part("reset-submit").click()
    else:
        outside.part("verify-submit").click()
    expect(outside.part("mailed-problem")).to_have_text(re.compile("not whole|not valid any more"))
    assert outside.overflow() <= 0
    outside.part("onward").click()
    expect(outside.part("sign-in-form")).to_be_visible()
