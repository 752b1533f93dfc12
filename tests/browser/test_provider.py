"""A model behind a real wire: its answer with citations, the title it makes afterwards, and a wire that breaks."""

import asyncio
import threading
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.app import App
from tests.browser.conftest import Serve
from tests.browser.famulus import Famulus
from tests.support.fake_provider import CUT, FakeProvider, answer_events

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def provider() -> Iterator[FakeProvider]:
    """A provider on a loop and a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    made = FakeProvider()
    asyncio.run_coroutine_threadsafe(made.__aenter__(), loop).result(10)
    yield made
    asyncio.run_coroutine_threadsafe(made.__aexit__(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    loop.close()


@pytest.fixture(scope="module")
def famulus(provider: FakeProvider, serve: Serve) -> Famulus:
    """A server that asks this provider."""
    return serve({"FAMULUS_MODEL": "compatible:test", "FAMULUS_MODEL_BASE_URL": provider.base_url})


def test_an_answer_its_citations_and_a_better_title(app: App, provider: FakeProvider):
    expect(app.part("composer-note")).to_have_text("Answers can be wrong. Check the passages they cite.")
    provider.reply("A cell is 0.05 m wide [1], and 0.1 m without the setting [1]. There is no [99].")
    provider.reply("Costmap <b>resolution</b>")
    app.asked("What is the default resolution of the costmap, and what does the supplied file say?")
    expect(app.part("thread-title").first).to_have_text("Costmap <b>resolution</b>")
    expect(app.part("conversation-title")).to_have_text("Costmap <b>resolution</b>")
    expect(app.answer.get_by_test_id("citation-chip")).to_have_count(2)
    expect(app.answer_text).to_contain_text("There is no [99].")
    app.page.reload()
    expect(app.answer.get_by_test_id("citation-chip")).to_have_count(2)
    app.answer.get_by_test_id("citation-chip").first.click()
    expect(app.part("passage-quote").first).to_be_visible()


def test_a_wire_that_breaks_keeps_what_had_come(app: App, provider: FakeProvider):
    provider.raw(*answer_events("The first half of it.")[:-1], 0.2, CUT)
    app.asked("Will the wire hold?", "failed")
    expect(app.answer_text).to_contain_text("The first half of it.")
    expect(app.part("answer-problem")).to_contain_text("What was written is kept.")
    app.page.reload()
    app.ended("failed")
    expect(app.answer_text).to_contain_text("The first half of it.")
    provider.reply("All of it.")
    app.part("retry").click()
    app.ended()
    expect(app.answer_text).to_contain_text("All of it.")
