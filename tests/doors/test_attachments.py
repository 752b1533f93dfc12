"""Attachments: sent in one phase or two, given back to their owner alone, as something to save."""

import io
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from httpx2 import Client
from PIL import Image

from tests.support.academy import new_thread
from tests.support.chatkit import ChatKit, done, said
from tests.support.pictures import PDF, office, picture
from tests.support.problems import assert_problem
from tests.support.serving import Served

PATH = "/api/v1/attachments"


@pytest.fixture
def client(server: Served) -> Iterator[Client]:
    with server.client("student") as client:
        yield client


def send(client: Client, name: str, data: bytes, mime_type: str = "application/octet-stream") -> Any:
    return client.post(PATH, files={"file": (name, data, mime_type)})


def local(url: str) -> str:
    """An address of the server as its tests reach it."""
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}"


KINDS = [
    ("a.png", picture("PNG"), "image/png", "image/png"),
    ("a.jpg", picture("JPEG"), "image/jpeg", "image/jpeg"),
    ("a.webp", picture("WEBP"), "image/webp", "image/webp"),
    ("a.gif", picture("GIF"), "image/gif", "image/gif"),
    ("a.pdf", PDF, "application/pdf", "application/pdf"),
    ("a.py", b"print('x')\n", "text/x-python", "text/plain"),
    ("a.json", b"{}", "application/json", "text/plain"),
    ("a.docx", office(), "application/octet-stream", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "data", "told", "found"), KINDS, ids=[kind[0] for kind in KINDS])
def test_what_is_taken_comes_back_as_it_was(
    client: Client, name: str, data: bytes, told: str, found: str
) -> None:
    sent = send(client, f"../some where/{name}", data, told)
    assert sent.status_code == 201, sent.text
    card = sent.json()
    assert (card["name"], card["mime_type"], card["size"], card["status"]) == (
        name,
        found,
        len(data),
        "ready",
    )
    back = client.get(f"{PATH}/{card['id']}/content")
    assert back.content == data
    assert back.headers["x-content-type-options"] == "nosniff"
    assert back.headers["content-disposition"].startswith("attachment; filename*=UTF-8''a.")
    small = client.get(f"{PATH}/{card['id']}/thumbnail")
    if card["type"] == "file":
        assert_problem(small, 404, "attachment_not_found")
        assert card["preview_url"] is None
        return
    with Image.open(io.BytesIO(small.content)) as image:
        assert (image.format, image.size) == ("WEBP", (320, 240))
    with Client(base_url=str(client.base_url), verify=False) as nobody:
        seen = nobody.get(local(card["preview_url"]))
        assert seen.content == small.content
        assert seen.headers.get_list("cross-origin-resource-policy") == ["cross-origin"]
        assert_problem(nobody.get(f"{PATH}/{card['id']}/thumbnail"), 401)
        assert_problem(nobody.get(f"{PATH}/{card['id']}/thumbnail?ticket=made-up"), 404)
        assert_problem(nobody.get(local(card["preview_url"]).replace("thumbnail", "content")), 401)


LIES = [
    ("a.png", picture("JPEG"), "image/png"), ("a.png", b"<svg onload=alert(1)>", "image/png"), ("a.jpg", PDF, ""),
    ("a.svg", b"<svg/>", "image/svg+xml"), ("a.pdf", b"%!PS", "application/pdf"), ("a.exe", b"MZ\0\0", ""),
    ("a.zip", b"PK\x03\x04broken", "application/zip"), ("a.txt", b"\xff\xfe\0", "text/plain"), ("a.png", picture()[:60], ""),
    ("a.txt", picture(), "text/plain"), ("a.png", picture(size=(9000, 9000), mode="1"), "image/png"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "data", "told"), LIES, ids=range(len(LIES)))
def test_what_is_not_what_it_is_called_is_refused(client: Client, name: str, data: bytes, told: str) -> None:
    assert_problem(send(client, name, data, told or "application/octet-stream"), 422, "attachment_not_taken")


def test_bounds_and_empty_files(client: Client) -> None:
    assert_problem(send(client, "a.txt", b"x" * 20_000_001), 413, "too_large")
    assert_problem(send(client, "a.txt", b""), 413, "too_large")
    assert_problem(client.post(PATH, json={}), 422, "attachment_not_taken")
    kit = ChatKit(client)
    for size in (0, -1, 20_000_001):
        assert_problem(kit.post("attachments.create", name="a.txt", size=size, mime_type="text/plain"), 413)


def test_chatkit_A16_A17_two_phases(client: Client) -> None:
    kit = ChatKit(client)
    data = picture(size=(2000, 1500)) + b"\0" * 1_100_000
    begun = kit.json("attachments.create", name="a.png", size=len(data), mime_type="image/png")
    assert begun["upload_descriptor"]["method"] == "PUT"
    assert "metadata" not in begun
    assert_problem(
        kit.post("threads.create", input=said("x", attachments=[begun["id"]])), 404, "attachment_not_found"
    )
    address = local(begun["upload_descriptor"]["url"])
    with Client(base_url=str(client.base_url), verify=False) as nobody:
        assert_problem(nobody.put(address.partition("?")[0], content=data), 422)
        assert_problem(nobody.put(f"{address[:-3]}xxx", content=data), 404)
        assert nobody.put(address, content=data).status_code == 200
        assert_problem(nobody.put(address, content=data), 404, "attachment_not_found")
    thread, events = kit.create("Look at this.", attachments=[begun["id"]])
    [kept] = events[1]["item"]["attachments"]
    assert (kept["id"], kept["type"], kept["thread_id"]) == (begun["id"], "image", thread)
    assert "upload_descriptor" not in kept
    assert kit.items(thread)[0]["attachments"][0]["id"] == begun["id"]
    assert_problem(kit.post("attachments.delete", attachment_id=begun["id"]), 404, "attachment_not_found")
    other = kit.json("attachments.create", name="a.pdf", size=12, mime_type="application/pdf")
    assert kit.json("attachments.delete", attachment_id=other["id"]) == {}
    assert_problem(client.get(f"{PATH}/{other['id']}"), 404, "attachment_not_found")


def test_a_message_of_nothing_but_a_file(client: Client) -> None:
    kit = ChatKit(client)
    sent = send(client, "notes.md", b"# Notes").json()
    _, events = kit.create("", attachments=[sent["id"]])
    assert done(events, "assistant_message")
    assert events[3]["thread"]["title"] == "notes.md"


def test_files_go_with_a_native_message_once(client: Client, server: Served) -> None:
    sent = send(client, "notes.md", b"# Notes").json()
    thread = new_thread(client)
    path, body = f"/api/v1/threads/{thread}/runs", {"message": "Read.", "attachments": [sent["id"]]}
    run = client.post(path, json=body).json()
    assert run["message"]["parts"][1] == {
        "type": "attachment", "id": sent["id"], "name": "notes.md", "mime_type": "text/plain", "size": 7
    }  # fmt: skip
    assert client.get(f"{PATH}/{sent['id']}").json()["thread_id"] == thread
    assert "run.completed" in client.get(f"/api/v1/runs/{run['run']['id']}/events").text
    assert_problem(client.post(path, json=body), 404, "attachment_not_found")
    fresh = send(client, "notes.md", b"# Notes").json()
    with server.client("classmate") as other:
        theirs = f"/api/v1/threads/{new_thread(other)}/runs"
        assert_problem(other.post(theirs, json={"message": "x", "attachments": [fresh["id"]]}), 404)
        kit = ChatKit(other)
        assert_problem(kit.post("threads.create", input=said("x", attachments=[fresh["id"]])), 404)
        assert_problem(kit.post("attachments.delete", attachment_id=fresh["id"]), 404)
        for place in ("", "/content", "/thumbnail"):
            assert_problem(other.get(f"{PATH}/{fresh['id']}{place}"), 404)
