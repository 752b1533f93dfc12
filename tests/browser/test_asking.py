"""A question to the course without any model: from the starters to the cited passage, its lesson, and the keys."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.app import App, until

pytestmark = pytest.mark.browser
SETTINGS = {"FAMULUS_MODEL": "offline"}
QUESTION = "What is the default resolution of the costmap?"
SENTENCE = "If you leave resolution out, the default in the code applies, which is 0.1 m."


def test_an_empty_conversation_offers_questions_about_real_lessons(app: App):
    expect(app.part("empty-state")).to_contain_text("its 13 lessons")
    expect(app.part("ai-notice")).to_contain_text("can be wrong")
    expect(app.part("starter")).to_have_count(4)
    starter = app.part("starter").first.inner_text()
    app.part("starter").first.click()
    expect(app.composer).to_have_value(starter)
    expect(app.part("message")).to_have_count(0)
    app.part("lessons-link").click()
    titles = app.part("lesson-item").all_inner_texts()
    assert len(titles) == 13
    asked_for = [re.sub(r"^\d+\s+", "", title) for title in titles]
    assert any(title in starter for title in asked_for)


def test_an_answer_is_cited_and_leads_to_the_lesson(app: App):
    app.asked(QUESTION)
    chip = app.answer.get_by_test_id("citation-chip").first
    expect(app.answer_text).to_contain_text(SENTENCE)
    expect(app.answer.get_by_test_id("sources-line")).to_contain_text("Costmaps")

    chip.hover()
    expect(app.part("citation-preview")).to_contain_text("Nav2: Costmaps")
    expect(app.part("citation-preview")).to_contain_text("0.1 m")
    app.page.mouse.move(700, 5)
    expect(app.part("citation-preview")).to_have_count(0)
    chip.focus()
    expect(app.part("citation-preview")).to_contain_text("The global and the local costmap")

    app.page.keyboard.press("Enter")
    expect(app.part("passage-panel")).to_be_visible()
    expect(app.part("panel-title")).to_be_focused()
    expect(app.part("heading-path")).to_contain_text("The global and the local costmap")
    expect(app.part("passage-quote").first).to_be_visible()  # marked once the passage is on the screen
    marked = "".join(app.part("passage-quote").all_inner_texts())
    assert SENTENCE in marked

    app.part("open-lesson").click()
    heading = app.part("found-heading")
    expect(heading).to_have_text("The global and the local costmap")
    expect(heading).to_be_in_viewport()
    place, body = heading.bounding_box(), app.part("lesson-body").bounding_box()
    assert place
    assert body
    assert place["y"] - body["y"] < 120
    app.part("panel-back").click()
    expect(app.part("passage-panel")).to_be_visible()
    app.page.keyboard.press("Escape")
    expect(app.part("passage-panel")).to_have_count(0)
    expect(chip).to_be_focused()
    expect(app.part("citation-preview")).to_have_count(0)


def test_what_is_not_in_the_course_is_said_plainly(app: App):
    app.asked("Who won the football world cup in 1998?")
    expect(app.answer_text).to_contain_text("I can't find that in this course.")
    expect(app.answer.get_by_test_id("citation-chip")).to_have_count(0)


def test_a_conversation_in_the_list_has_title_preview_and_time(app: App):
    app.asked(QUESTION)
    item = app.part("thread-item").first
    expect(item.get_by_test_id("thread-title")).to_have_text(QUESTION)
    expect(item).to_contain_text("A costmap cell in the supplied file")
    expect(item.get_by_role("time")).to_have_text("now")
    expect(app.part("conversation-title")).to_have_text(QUESTION)
    app.page.reload()
    expect(app.part("thread-item").first.get_by_test_id("thread-title")).to_have_text(QUESTION)
    expect(app.part("thread-item").first).to_contain_text("A costmap cell in the supplied file")
    expect(app.answer_text).to_contain_text(SENTENCE)


def test_rename_delete_and_undo(app: App):
    app.asked("What is a node?")
    thread = app.part("chat").get_attribute("data-thread")
    item = app.page.locator(f"[data-testid=thread-item][data-thread={thread}]")
    item.hover()
    item.get_by_test_id("thread-menu").click()
    app.part("thread-rename").click()
    app.part("thread-rename-input").fill("Nodes, in short")
    app.page.keyboard.press("Enter")
    expect(item.get_by_test_id("thread-title")).to_have_text("Nodes, in short")
    app.page.reload()
    expect(item.get_by_test_id("thread-title")).to_have_text("Nodes, in short")

    item.hover()
    item.get_by_test_id("thread-menu").click()
    app.part("thread-delete").click()
    expect(item).to_have_count(0)
    app.part("toast-action").click()
    expect(item).to_have_count(1)

    item.get_by_role("link").click()
    item.hover()
    item.get_by_test_id("thread-menu").click()
    app.part("thread-delete").click()
    expect(app.part("empty-state")).to_be_visible()
    app.page.goto("about:blank")
    until(lambda: app.page.request.get(f"{app.famulus.url}/api/v1/threads/{thread}").status == 404)
    app.page.goto(app.famulus.url)
    expect(app.composer).to_be_visible()
    expect(app.part("thread-list")).to_be_visible()
    expect(item).to_have_count(0)


def test_each_conversation_keeps_its_draft(app: App):
    app.asked("What is a topic?")
    app.composer.fill("and for the first")
    app.part("new-thread").click()
    expect(app.composer).to_have_value("")
    app.composer.fill("and for a new one")
    app.part("thread-item").first.get_by_role("link").click()
    expect(app.composer).to_have_value("and for the first")
    app.page.reload()
    expect(app.composer).to_have_value("and for the first")
    app.part("new-thread").click()
    expect(app.composer).to_have_value("and for a new one")


def test_writing(app: App):
    app.composer.press_sequentially("a")
    app.composer.press("Shift+Enter")
    app.composer.press_sequentially("b")
    expect(app.composer).to_have_value("a\nb")
    app.composer.evaluate(
        "box => box.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', isComposing: true, bubbles: true}))"
    )
    expect(app.part("message")).to_have_count(0)
    app.composer.fill("line\n" * 80)
    assert app.composer.evaluate("box => box.offsetHeight") <= 0.4 * 900 + 1
    app.composer.fill("What is tf2?")
    app.composer.press("Enter")
    expect(app.question).to_contain_text("What is tf2?")
    expect(app.composer).to_have_value("")


def test_the_keys(app: App):
    app.asked("What is a service?")
    app.page.evaluate("document.activeElement.blur()")
    app.page.keyboard.press("/")
    expect(app.composer).to_be_focused()
    expect(app.composer).to_have_value("")
    app.page.keyboard.press("Control+k")
    expect(app.part("thread-search")).to_be_focused()
    app.page.keyboard.type("what is a service")
    expect(app.part("thread-item")).to_have_count(1)
    app.page.keyboard.press("Escape")
    expect(app.part("thread-search")).to_have_value("")
    app.page.keyboard.press("Control+Shift+O")
    expect(app.part("empty-state")).to_be_visible()
    expect(app.composer).to_be_focused()
    app.page.evaluate("document.activeElement.blur()")
    app.page.keyboard.press("?")
    expect(app.part("shortcut-help")).to_be_visible()
    app.page.keyboard.press("Escape")
    expect(app.part("shortcut-help")).to_have_count(0)


def test_a_lesson_is_read_and_asked_about(app: App):
    app.part("lessons-link").click()
    app.part("lesson-item").nth(1).click()
    expect(app.part("lesson-page")).to_contain_text("Quality of Service")
    app.part("ask-about-lesson").click()
    expect(app.part("subject")).to_contain_text("Nodes, Topics and Quality of Service")
    app.asked("What is the default QoS for a topic?")
    expect(app.answer_text).to_contain_text("keeps the last 10 messages")
    expect(app.part("subject")).to_have_count(0)


def test_without_a_network_nothing_is_sent_and_nothing_lost(app: App):
    app.page.context.set_offline(True)
    expect(app.part("offline-banner")).to_be_visible()
    app.composer.fill("Later, then")
    expect(app.part("send")).to_be_disabled()
    app.composer.press("Enter")
    expect(app.part("message")).to_have_count(0)
    expect(app.composer).to_have_value("Later, then")
    app.page.context.set_offline(False)
    expect(app.part("offline-banner")).to_have_count(0)
    expect(app.part("send")).to_be_enabled()
