"""One server and one browser for each module; a fresh window, which must stay clean, for each test.

The server's model is scripted: it says what a test tells it to. A module may name other settings in `SETTINGS`.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.browser.app import App, Record
from tests.browser.famulus import ROOT, Famulus
from tests.support.availability import missing
from tests.support.browser import LAUNCH_ARGUMENTS

WINDOW = {"width": 1440, "height": 900}


@pytest.fixture(scope="module")
def famulus(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, chromium_path: Path
) -> Iterator[Famulus]:
    """A server with the demo course, at one address for the whole module."""
    if not (ROOT / "src" / "famulus" / "web" / "index.html").is_file():
        missing("The built web app", "run `npm ci && npm run build` in web/")
    server = Famulus(tmp_path_factory.mktemp("famulus"), getattr(request.module, "SETTINGS", {}))
    server.start()
    yield server
    server.kill()


@pytest.fixture(scope="module")
def browser(chromium_path: Path) -> Iterator[Browser]:
    """Chromium, without a window."""
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium_path, args=list(LAUNCH_ARGUMENTS))
        yield launched
        launched.close()


@pytest.fixture
def context(browser: Browser, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    """A person's browser, with nothing in it; `indirect` parameters are options of the context."""
    options = {"viewport": WINDOW, "locale": "en-GB", **getattr(request, "param", {})}
    made = browser.new_context(**options)
    made.set_default_timeout(10_000)
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
