"""Files with a question: chosen or dropped, shown with the message, there again after a reload, and saved."""

import struct
import zlib

import pytest
from playwright.sync_api import FilePayload, expect

from tests.browser.app import App

pytestmark = pytest.mark.browser
NOTES: FilePayload = {
    "name": "notes.md",
    "mimeType": "text/markdown",
    "buffer": b"# Notes\n\nNodes talk by topics.\n",
}


def picture() -> FilePayload:
    """A small PNG, red all over."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    size = 64
    rows = b"".join(b"\0" + b"\xd0\x30\x20" * size for _ in range(size))
    head = struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)
    data = (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )
    return {"name": "board.png", "mimeType": "image/png", "buffer": data}


def test_files_go_with_a_question_and_come_back(app: App):
    app.part("attach").set_input_files([NOTES, picture()])
    ready = app.page.locator("[data-testid=draft-file][data-state=ready]")
    expect(ready).to_have_count(2)

    app.page.reload()
    expect(ready).to_have_count(2)
    expect(ready.nth(1).locator("img")).to_have_js_property("naturalWidth", 64)

    app.asked("What do my notes say?")
    expect(app.part("draft-files")).to_have_count(0)
    sent = app.question.get_by_test_id("sent-files")
    expect(sent).to_contain_text("notes.md")
    app.page.reload()
    expect(sent).to_contain_text("board.png")
    with app.page.expect_download() as saving:
        sent.get_by_text("notes.md").click()
    assert saving.value.path().read_bytes() == NOTES["buffer"]
    assert [part["type"] for part in app.stored()[0]["parts"]].count("attachment") == 2  # type: ignore[attr-defined]


def test_what_is_not_taken_says_why_and_does_not_go(app: App):
    odd: FilePayload = {
        "name": "odd.png",
        "mimeType": "image/png",
        "buffer": b"MZ\0\0 no picture at all \0\xff\xfe",
    }
    app.part("attach").set_input_files([odd])
    failed = app.page.locator("[data-testid=draft-file][data-state=failed]")
    expect(failed).to_have_count(1)
    said = failed.inner_text()
    assert len(said) > len("odd.png") + 20, said
    app.asked("Never mind.")
    expect(app.question.get_by_test_id("sent-files")).to_have_count(0)


def test_a_file_is_removed_before_it_goes(app: App):
    app.part("attach").set_input_files([NOTES])
    expect(app.page.locator("[data-testid=draft-file][data-state=ready]")).to_have_count(1)
    with app.page.expect_request(lambda request: request.method == "DELETE"):
        app.page.get_by_label("Remove notes.md").click()
    expect(app.part("draft-file")).to_have_count(0)
