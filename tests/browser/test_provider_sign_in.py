"""Signing in through a real identity provider, as a person does it: a button, elsewhere, and back."""

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.app import App
from tests.browser.conftest import Serve
from tests.browser.famulus import Famulus
from tests.support.oidc_provider import OidcProvider

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def provider() -> Iterator[OidcProvider]:
    with OidcProvider() as running:
        running.person = {
            "sub": "bo", "email": "bo@school.example", "email_verified": True, "name": "Bo", "school": "Demo Academy",
        }  # fmt: skip
        yield running


@pytest.fixture(scope="module")
def famulus(serve: Serve, provider: OidcProvider) -> Famulus:
    settings = provider.settings()
    return serve(
        {
            "FAMULUS_MODEL": "offline",
            "FAMULUS_TRUSTED_ISSUERS": json.dumps(settings["trusted_issuers"]),
            "FAMULUS_ALLOWED_PRIVATE_HOSTS": json.dumps(settings["allowed_private_hosts"]),
        }
    )


def test_a_button_leads_there_and_back(outside: App, provider: OidcProvider):
    provider.denies = True
    outside.page.goto(f"{outside.famulus.url}/#/c/general")
    button = outside.part("provider")
    expect(button).to_have_text("Continue with School")
    button.click()
    expect(outside.part("sign-in-error")).to_contain_text("not allowed there")
    assert "error" not in outside.page.url

    provider.denies = False
    outside.page.goto(f"{outside.famulus.url}/#/c/general")
    outside.part("provider").click()
    expect(outside.part("account-menu")).to_contain_text("Bo")
    expect(outside.page).to_have_url(f"{outside.famulus.url}/#/c/general")
