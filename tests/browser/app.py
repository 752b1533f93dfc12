"""The web app as the tests see it: pages that keep a record of themselves, and what a person does with them."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page, Request, expect

from tests.browser.famulus import Famulus

STUDENT = "student@famulus.local"
PASSWORD = "password123"
HARMLESS = "Failed to load resource: "
"""The browser's own line for every answer that is not 2xx; the tests cause those on purpose."""
LISTEN_FOR_VIOLATIONS = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) =>
  window.violations.push(`${event.violatedDirective}: ${event.blockedURI || event.sample}`));
"""


@dataclass
class Record:
    """What pages of one context have asked for and complained about."""

    requests: list[str] = field(default_factory=list[str])
    complaints: list[str] = field(default_factory=list[str])

    def outside(self) -> list[str]:
        """Requests that left this machine."""
        return [url for url in self.requests if urlsplit(url).hostname not in ("127.0.0.1", None)]

    def watch(self, context: BrowserContext) -> None:
        """Keep a record of all pages of `context` from now on."""
        context.on("request", self._request)
        context.on("console", self._console)
        context.on("weberror", lambda error: self.complaints.append(f"uncaught: {error.error}"))
        context.add_init_script(LISTEN_FOR_VIOLATIONS)

    def _request(self, request: Request) -> None:
        self.requests.append(request.url)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not message.text.startswith(HARMLESS):
            self.complaints.append(f"{message.type}: {message.text}")


class App:
    """The app in one browser window. Names of parts are their `data-testid`."""

    def __init__(self, page: Page, famulus: Famulus, record: Record) -> None:
        self.page = page
        self.famulus = famulus
        self.record = record

    def part(self, name: str) -> Locator:
        """Every element with this test id."""
        return self.page.get_by_test_id(name)

    @property
    def composer(self) -> Locator:
        return self.part("composer")

    @property
    def question(self) -> Locator:
        """The last message of the person."""
        return self.page.locator("[data-testid=message][data-role=user]").last

    @property
    def answer(self) -> Locator:
        """The last answer."""
        return self.page.locator("[data-testid=message][data-role=assistant]").last

    @property
    def answer_text(self) -> Locator:
        return self.answer.get_by_test_id("message-text")

    def enter(self, email: str = STUDENT) -> None:
        """Sign in without the form, as the demo's student unless told otherwise, and open the app."""
        given = {"email": email, "password": PASSWORD, "session_mode": "web"}
        response = self.page.request.post(f"{self.famulus.url}/api/auth/login", data=given)
        assert response.ok, response.text()
        self.page.goto(self.famulus.url)
        expect(self.composer).to_be_visible()

    def ask(self, text: str) -> None:
        """Write a question and send it."""
        self.composer.fill(text)
        self.part("send").click()

    def ended(self, state: str = "complete", within: float = 60.0) -> None:
        """Wait until the last answer has come to this end."""
        expect(self.answer).to_have_attribute("data-state", state, timeout=within * 1000)

    def asked(self, text: str, state: str = "complete") -> None:
        """Ask, and wait for the end of the answer."""
        self.ask(text)
        expect(self.question).to_contain_text(text)
        self.ended(state)

    def stored(self) -> Sequence[dict[str, object]]:
        """The messages of the open thread as the server has them, oldest first."""
        thread = self.part("chat").get_attribute("data-thread")
        response = self.page.request.get(f"{self.famulus.url}/api/v1/threads/{thread}/messages?limit=100")
        assert response.ok, response.text()
        items: list[dict[str, object]] = response.json()["items"]
        return items

    def focused(self) -> str:
        """The test id, or the id, of what has the focus."""
        found: str = self.page.evaluate(
            "document.activeElement.dataset.testid || document.activeElement.id || document.activeElement.tagName"
        )
        return found

    def overflow(self) -> int:
        """Pixels by which the page is wider than its window."""
        found: int = self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        return found

    def violations(self) -> list[str]:
        """What the content policy had to stop."""
        found: list[str] = self.page.evaluate("window.violations")
        return found


def until(condition: Callable[[], bool], within: float = 30.0) -> None:
    """Return once `condition()` is true; raises TimeoutError after `within` seconds."""
    deadline = time.monotonic() + within
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("It did not come true.")
        time.sleep(0.05)
