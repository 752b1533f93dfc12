"""What holds on every screen: nothing wider than the window, both themes, room for a finger, help for other senses."""

import pytest
from playwright.sync_api import expect

from tests.browser.app import App
from tests.browser.famulus import ROOT
from tests.support.availability import missing

pytestmark = pytest.mark.browser
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
DARK = {"color_scheme": "dark"}
AXE = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
RULES = """axe.run(document).then((found) => found.violations.map(
  (rule) => `${rule.id}: ${rule.nodes.map((node) => node.html.slice(0, 160)).join(" | ")}`))"""
LONG = """\
One paragraph with `a_very_long_identifier_that_does_not_break_anywhere_and_goes_on_and_on_and_on` and a citation [1].

| Command | Meaning | Example | Another column | And one more |
|---|---|---|---|---|
| `ros2 topic info /scan --verbose` | quality of service of every endpoint | `/scan` | something | the last |

```bash
ros2 launch nav2_bringup bringup_launch.py map:=$HOME/maps/lab.yaml params_file:=$HOME/nav2_params.yaml
```

> A quote of a passage, as an answer without a model shows it. [2]

1. First
2. Second, with **weight** and *lean*
"""
QUESTION = "What is the default resolution of the costmap?"
in_both_themes = pytest.mark.parametrize("context", [{}, PHONE | DARK], indirect=True)


def wrong_for_readers(app: App) -> list[str]:
    """What axe-core finds on the screen as it is, once nothing moves any more."""
    if not AXE.is_file():
        missing("axe-core", "run `npm ci` in web/")
    app.page.evaluate(AXE.read_text("utf-8") + ";0")
    app.page.wait_for_timeout(300)
    found: list[str] = app.page.evaluate(RULES)
    return found


@in_both_themes
def test_every_screen_can_be_read_and_fits(outside: App):
    app = outside
    app.famulus.replies(LONG, "@fail 503")
    app.page.goto(app.famulus.url)
    expect(app.part("demo-sign-in").first).to_be_visible()
    assert not wrong_for_readers(app)
    app.enter()
    expect(app.part("starter").first).to_be_visible()
    assert not wrong_for_readers(app)
    app.asked(QUESTION)
    assert not wrong_for_readers(app)
    assert app.overflow() <= 0
    app.answer.get_by_test_id("citation-chip").first.click()
    expect(app.part("passage-quote").first).to_be_visible()
    assert not wrong_for_readers(app)
    app.part("open-lesson").click()
    expect(app.part("found-heading")).to_be_visible()
    assert not wrong_for_readers(app)
    assert app.overflow() <= 0
    app.part("panel-close").click()
    app.asked("And a failure?", "failed")
    assert not wrong_for_readers(app)
    assert app.overflow() <= 0


@pytest.mark.parametrize("context", [PHONE], indirect=True)
def test_on_a_phone(app: App):
    app.famulus.replies(LONG)
    assert app.focused() != "composer"  # or the keyboard would cover half the page
    expect(app.part("rail")).to_have_count(0)
    app.part("show-rail").click()
    expect(app.part("rail")).to_be_visible()
    expect(app.part("hide-rail")).to_be_focused()
    app.part("drawer-backdrop").click(position={"x": 370, "y": 400})
    expect(app.part("rail")).to_have_count(0)

    app.asked(QUESTION)
    assert app.overflow() <= 0
    chip = app.answer.get_by_test_id("citation-chip").first
    box = chip.bounding_box()
    assert box
    assert min(box["width"], box["height"]) >= 24
    chip.click()
    sheet = app.part("passage-panel")
    expect(sheet).to_have_attribute("role", "dialog")
    expect(sheet).to_have_attribute("aria-modal", "true")
    app.part("panel-close").click()
    expect(chip).to_be_focused()

    app.part("show-rail").click()
    app.part("lessons-link").click()
    expect(app.part("lesson-item")).to_have_count(13)
    expect(app.part("rail")).to_have_count(0)
    assert app.overflow() <= 0


def test_the_theme_is_the_systems_until_one_is_chosen(app: App):
    paper = "getComputedStyle(document.body).backgroundColor"
    light = app.page.evaluate(paper)
    app.page.emulate_media(color_scheme="dark")
    dark = app.page.evaluate(paper)
    assert light != dark
    app.page.emulate_media(color_scheme="light")
    app.part("account-menu").click()
    app.part("theme-dark").click()
    assert app.page.evaluate(paper) == dark
    app.page.reload()
    expect(app.composer).to_be_visible()
    assert app.page.evaluate(paper) == dark


def test_the_side_bar_stays_hidden(app: App):
    app.part("hide-rail").click()
    expect(app.part("rail")).to_have_count(0)
    app.page.reload()
    expect(app.composer).to_be_visible()
    expect(app.part("rail")).to_have_count(0)
    app.part("show-rail").click()
    expect(app.part("rail")).to_be_visible()


def test_with_the_keyboard_alone(app: App):
    app.famulus.replies("See [1] and [2].")
    app.page.get_by_role("link", name="Famulus").focus()
    app.page.keyboard.press("Shift+Tab")
    expect(app.page.get_by_role("link", name="Skip to the conversation")).to_be_focused()
    app.page.keyboard.press("Enter")
    expect(app.composer).to_be_focused()
    app.page.keyboard.type(QUESTION)
    app.page.keyboard.press("Enter")
    app.ended()
    chips = app.answer.get_by_test_id("citation-chip")
    chips.first.focus()
    app.page.keyboard.press("Tab")
    expect(chips.nth(1)).to_be_focused()
    assert chips.nth(1).evaluate("chip => getComputedStyle(chip).outlineStyle") == "solid"
    app.part("account-menu").focus()
    app.page.keyboard.press("Enter")
    expect(app.part("theme-system")).to_be_focused()
    app.page.keyboard.press("ArrowDown")
    expect(app.part("theme-light")).to_be_focused()
    app.page.keyboard.press("Escape")
    expect(app.part("account-menu")).to_be_focused()
