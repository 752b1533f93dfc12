"""The page on which an organization's admins have a model read the material: its price, its budget, the way back."""

import pytest
from playwright.sync_api import expect

from tests.browser.app import App
from tests.browser.test_confirming import ADMIN
from tests.browser.test_looks import in_both_themes, wrong_for_readers
from tests.browser.test_people import desk

pytestmark = pytest.mark.browser
TRIPLE = '["topic", "connects", "nodes"]\n["node", "publishes to", "topic"]'


@in_both_themes
def test_material_is_read_within_a_budget_and_forgotten(outside: App) -> None:
    outside.famulus.replies(TRIPLE)
    desk(outside, "organization", "triples", ADMIN)
    expect(outside.part("triples-estimate")).to_contain_text("passages: about")
    assert not wrong_for_readers(outside)
    outside.part("triples-budget").fill("10")
    outside.part("triples-start").click()
    expect(outside.page.locator(".field-problem")).to_contain_text("1000")
    outside.part("triples-budget").fill("5000")
    outside.part("triples-start").click()
    standing = outside.part("triples-standing")
    expect(standing).to_have_attribute("data-state", "stopped")
    expect(standing).to_contain_text("Stopped at the budget")
    outside.part("triples-budget").fill("900000")
    outside.part("triples-start").click()
    expect(standing).to_have_attribute("data-state", "done")
    expect(outside.part("triples-estimate")).to_have_text("Nothing: all of it is read.")
    expect(standing).not_to_contain_text("Triples0")
    assert not wrong_for_readers(outside)
    assert outside.overflow() <= 0
    outside.part("triples-forget").click()
    outside.part("triples-forget-sure").click()
    expect(standing).to_have_attribute("data-state", "none")
    expect(outside.part("triples-estimate")).to_contain_text("passages: about")
