"""The material of a course as its teacher keeps it: sources and how they stand, uploads, what failed by name, questions."""

from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.app import App
from tests.browser.test_confirming import TEACHER
from tests.browser.test_looks import in_both_themes, wrong_for_readers
from tests.knowledge.papers import pack

pytestmark = pytest.mark.browser
PATIENCE = 30_000
"""Milliseconds: a file other than text is read in a process that has to start."""
DROP = """([place, name, text]) => {
  const data = new DataTransfer();
  data.items.add(new File([text], name, { type: "text/markdown" }));
  for (const kind of ["dragover", "drop"])
    place.dispatchEvent(new DragEvent(kind, { dataTransfer: data, bubbles: true, cancelable: true }));
}"""


def material(app: App) -> App:
    app.enter(TEACHER)
    app.part("show-rail").or_(app.part("material-link")).first.click()
    if not app.part("manage-material").count():
        app.part("material-link").click()
    expect(app.part("source-item").first).to_be_visible(timeout=PATIENCE)
    return app


def source(app: App, name: str) -> Locator:
    return app.part("source-item").filter(has_text=name)


def removed(app: App, name: str) -> None:
    source(app, name).get_by_test_id("remove-source").click()
    source(app, name).get_by_test_id("remove-source-sure").click()
    expect(source(app, name)).to_have_count(0)


@in_both_themes
def test_files_are_added_and_what_failed_is_named(outside: App, tmp_path: Path) -> None:
    app = material(outside)
    place = pack(tmp_path / "week.zip", {"good.md": "# Winches\n\nA winch pulls.", "bad.pdf": b"%PDF-1.4 no"})
    app.part("material-file").set_input_files(place)
    row = source(app, "week.zip")
    expect(row).to_have_attribute("data-state", "ready", timeout=PATIENCE)
    expect(row).to_contain_text("2 documents, 1 not read")
    row.get_by_role("button").first.click()
    expect(row.get_by_test_id("source-documents")).to_contain_text("bad.pdf")
    expect(row.locator(".source-why")).to_be_visible()
    assert not wrong_for_readers(app)
    assert app.overflow() <= 0

    app.part("drop-place").evaluate(f"(place) => ({DROP})([place, 'ropes.md', '# Ropes'])")
    expect(source(app, "ropes.md")).to_have_attribute("data-state", "ready", timeout=PATIENCE)
    app.part("drop-place").evaluate(f"(place) => ({DROP})([place, 'ropes.exe', 'MZ'])")
    expect(app.part("manage-problem")).to_contain_text("ropes.exe", timeout=PATIENCE)
    removed(app, "week.zip")
    source(app, "ropes.md").get_by_role("button").first.click()
    removed(app, "ropes.md")


def test_a_repository_that_cannot_be_had_says_so_by_itself(outside: App) -> None:
    app = material(outside)
    course = app.page.url.split("/c/")[1].split("/")[0]
    new = {"kind": "git", "name": "Robot code", "location": "https://127.0.0.1/a.git", "course_id": course}
    made = app.page.request.post(f"{app.famulus.url}/api/v1/sources", data=new)
    assert made.ok, made.text()
    app.page.reload()
    row = source(app, "Robot code")
    expect(row).to_have_attribute("data-state", "failed", timeout=PATIENCE)
    expect(row.get_by_test_id("source-problem")).to_contain_text("not on the public internet")
    row.get_by_role("button").first.click()
    row.get_by_test_id("read-again").click()
    expect(row).to_have_attribute("data-state", "failed", timeout=PATIENCE)
    removed(app, "Robot code")


def test_golden_questions_are_kept(outside: App) -> None:
    app = material(outside)
    app.part("golden-question").fill("What is the default resolution of the costmap?")
    app.part("golden-document").fill("11-nav2-costmaps-planners-controllers.md")
    app.part("golden-add").click()
    expect(app.part("golden-report")).to_contain_text("of 1 are answered")


def test_a_student_keeps_no_material(app: App) -> None:
    expect(app.part("material-link")).to_have_count(0)
