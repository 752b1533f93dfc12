"""L06: forms of a hundred megabytes, of ten thousand fields, without an end: refused, and nobody else is held up.

How long others wait is told by what the server's loop takes of the processor in one turn, which other programs on the
machine do not change.
"""

import asyncio
import gc
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.academy import plant
from tests.support.serving import Served, migrated_database, serving, settings_for, wait_for

HUGE, PIECE = 101_000_000, 1_000_000
LONGEST_TURN = 0.1
"""Seconds of the processor."""
FORM = "multipart/form-data; boundary=x"
FILE = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'
FIELDS = b"".join(
    b'--x\r\nContent-Disposition: form-data; name="k%d"\r\n\r\nv\r\n' % n for n in range(10_000)
)
BODIES = {
    "ten thousand fields": (FORM, FIELDS + b"--x--\r\n"),
    "a preamble without end": (FORM, b"\r\n" * 2_000_000 + FIELDS[:200]),
    "a preamble of dashes": (FORM, b"--y\r\n" * 800_000),
    "no end": (FORM, FILE + b"a" * 200_000),
    "nearly an end in every line": (FORM, FILE + b"\r\n--" * 1_000_000),
    "a header without end": (FORM, b"--x\r\n" + b"a" * 4_000_000),
    "headers without end": (FORM, b"--x\r\n" + b"a: b\r\n" * 600_000),
    "no boundary": ("multipart/form-data", FIELDS),
    "a long boundary": ("multipart/form-data; boundary=" + "y" * 5_000, FIELDS),
}


class Turns:
    """The longest turn of a server's loop, in seconds of the processor, while somebody is looking."""

    def __init__(self) -> None:
        self.longest = 0.0
        self._looking: asyncio.Task[None] | None = None

    def join(self, app: Any) -> None:
        app.add_api_route("/turns", self.look, methods=["POST"])
        app.add_api_route("/turns", self.stop, methods=["DELETE"])

    async def look(self) -> None:
        self.longest = 0.0
        self._looking = asyncio.create_task(self._look())

    async def stop(self) -> None:
        assert self._looking is not None
        self._looking.cancel()

    async def _look(self) -> None:
        while True:
            began = time.thread_time()
            await asyncio.sleep(0)
            self.longest = max(self.longest, time.thread_time() - began)


@pytest.fixture(scope="module")
def turns() -> Turns:
    return Turns()


@pytest.fixture(scope="module")
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, turns: Turns
) -> Iterator[Served]:
    """A server whose turns are looked at; what of the tests can be collected is, before."""
    folder = tmp_path_factory.mktemp("forms")
    with migrated_database("sqlite", folder, request) as url:
        academy = wait_for(plant(url))
        with serving(settings_for(url, folder), academy, prepare=turns.join) as served:
            gc.collect()
            gc.freeze()
            yield served
            gc.unfreeze()


PLACES = {
    "attachments": ("student", "/api/v1/attachments"),
    "sources": ("teacher", "/api/v1/courses/{course}/sources"),
    "people": ("admin", "/api/v1/organizations/{organization}/import"),
    "golden questions": ("teacher", "/api/v1/courses/{course}/golden-questions/import"),
}


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest, served: Served) -> tuple[str, str]:
    who, path = PLACES[request.param]
    course = served.academy.ids["course"]
    with served.client(who) as client:
        organization = client.get(f"/api/v1/courses/{course}").json()["organization_id"]
    return who, path.format(course=course, organization=organization)


def memory(what: str) -> int:
    """Kilobytes of this process, now (`VmRSS`) or at its peak (`VmHWM`)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{what}:"))


def pieces() -> Iterator[bytes]:
    yield FILE
    for _ in range(HUGE // PIECE):
        yield b"a" * PIECE


def test_L06_what_is_no_form_is_refused_at_once(served: Served, turns: Turns, place: tuple[str, str]) -> None:
    who, path = place
    with served.client(who) as client:
        client.post("/turns")
        for name, (kind, body) in BODIES.items():
            answer = client.post(path, content=body, headers={"Content-Type": kind})
            assert answer.status_code in (400, 413, 422), (name, answer.text)
            assert turns.longest < LONGEST_TURN, name
        client.delete("/turns")


def test_L06_a_hundred_megabytes_are_not_waited_for(served: Served, place: tuple[str, str]) -> None:
    """Where they are announced, nothing of them is read."""
    who, path = place
    token = served.academy.people[who].token
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: {FORM}\r\n"
    with socket.create_connection(("127.0.0.1", served.port), 30) as connection:
        connection.sendall(f"{head}Content-Length: {HUGE}\r\n\r\n".encode() + FILE)
        assert connection.recv(65_536).startswith(b"HTTP/1.1 413")


def test_L06_a_hundred_megabytes_that_come_unannounced_hold_nobody_up(served: Served, turns: Turns) -> None:
    with served.client("student") as client:
        client.post("/turns")
        answer = client.post("/api/v1/attachments", content=pieces(), headers={"Content-Type": FORM})
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
        before = memory("VmRSS")
        Path("/proc/self/clear_refs").write_text("5")
        whole = [FILE, *[b"a" * PIECE] * 95, b"\r\n--x--\r\n"]
        answer = client.post("/api/v1/attachments", content=iter(whole), headers={"Content-Type": FORM})
        assert answer.status_code == 413, "of what may be sent elsewhere, an attachment is less"
        assert memory("VmHWM") - before < 60_000, "and no more of it is taken into memory than it may have"
        good = [FILE, *[b"a" * PIECE] * 19, b"\r\n--x--\r\n"]
        answer = client.post("/api/v1/attachments", content=iter(good), headers={"Content-Type": FORM})
        assert answer.status_code == 201
        client.delete("/turns")
    assert turns.longest < LONGEST_TURN


def test_the_look_sees_what_holds_others_up(served: Served, turns: Turns) -> None:
    async def busy() -> None:
        began = time.thread_time()
        while time.thread_time() - began < LONGEST_TURN:
            pass

    served.app.add_api_route("/busy", busy)
    with served.client() as client:
        client.post("/turns")
        client.get("/busy")
        client.delete("/turns")
    assert turns.longest >= LONGEST_TURN
