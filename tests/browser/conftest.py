"""One browser for each module, one server for each kind of settings; for each test a fresh window, to be kept clean.

The server's model is scripted: it says what a test tells it to. A module may name other settings in `SETTINGS`.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.browser.app import App, Record
from tests.browser.famulus import ROOT, Famulus
from tests.support.availability import missing
from tests.support.browser import LAUNCH_ARGUMENTS

Serve = Callable[[Mapping[str, str]], Famulus]
PATIENCE = 30_000.0
"""Milliseconds; a machine may be slow, and what comes sooner is not waited for."""
WINDOW = {"width": 1440, "height": 900}


@pytest.fixture(scope="session")
def serve(chromium_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """Starts a server with the demo course, or finds the one that has the same settings."""
    if not (ROOT / "src" / "famulus" / "web" / "index.html").is_file():
        missing("The built web app", "run `npm ci && npm run build` in web/")
    servers: dict[frozenset[tuple[str, str]], Famulus] = {}

    def given(settings: Mapping[str, str]) -> Famulus:
        key = frozenset(settings.items())
        if key not in servers:
            servers[key] = Famulus(tmp_path_factory.mktemp("famulus"), settings)
            servers[key].start()
        return servers[key]

    yield given
    for server in servers.values():
        server.kill()


@pytest.fixture(scope="module")
def famulus(request: pytest.FixtureRequest, serve: Serve) -> Famulus:
    """The server that a module's tests talk to."""
    return serve(getattr(request.module, "SETTINGS", {}))


@pytest.fixture(scope="module")
def browser(chromium_path: Path) -> Iterator[Browser]:
    """Chromium, without a window."""
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium_path, args=list(LAUNCH_ARGUMENTS))
        yield launched
        launched.close()


@pytest.fixture
def context(browser: Browser, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    """A person's browser, with nothing in it; `indirect` parameters are options of the context."""
    options = {"viewport": WINDOW, "locale": "en-GB", **getattr(request, "param", {})}
    made = browser.new_context(**options)
    made.set_default_timeout(PATIENCE)
    yield made
    made.close()


@pytest.fixture
def outside(famulus: Famulus, context: BrowserContext) -> Iterator[App]:
    """The app before anyone has signed in; at the end nothing may have gone wrong unseen, or left this machine."""
    record = Record()
    record.watch(context)
    app = App(context.new_page(), famulus, record)
    yield app
    violations = [found for page in context.pages for found in violations_of(page)]
    assert not record.complaints
    assert not record.outside()
    assert not violations


def violations_of(page: Page) -> list[str]:
    found: list[str] = page.evaluate("window.violations ?? []")
    return found


@pytest.fixture
def app(outside: App) -> App:
    """The app as the demo's student sees it."""
    outside.enter()
    return outside
