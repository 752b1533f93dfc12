"""The same attacks at every door: rights that end (P13, A11), other sites (S06, S07), others' things (A03, A04, A08)."""

import threading
import time
from dataclasses import dataclass, field

import pytest
from httpx2 import Client

from tests.attacks.test_revocation import SOON, Change, Instances, both, promote, pupil, suspend
from tests.support.academy import MARKS, PASSWORD, new_thread, threads_of
from tests.support.asking import OVER_HTTP, WAYS, Asked, body_of, told_by
from tests.support.serving import Served
from tests.support.streaming import FOLLOWED, LAST_CODE, STREAMS, Opening, following, opening

__all__ = ["both"]
EVIL = ("https://evil.example", "null")
STREAM = {"Accept": "text/event-stream"}


@dataclass
class Reader:
    """Reads a stream to its end, in a thread of its own."""

    client: Client
    opened: Opening
    body: str = ""
    ended_at: float = 0.0
    begun: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self) -> None:
        one = self.opened
        with self.client.stream(one.method, one.path, json=one.body, headers=STREAM) as response:
            for piece in response.iter_text():
                self.body += piece
                self.begun.set()
        self.ended_at = time.monotonic()


@pytest.mark.parametrize("change", [suspend, promote], ids=lambda change: change.__name__)
def test_P13_A11_every_door_s_streams_end_with_their_reader_s_rights(both: Instances, change: Change) -> None:
    """Within five seconds, on the other instance too, and with a word that the door's clients understand."""
    who, readers = pupil(both), dict[str, Reader]()
    clients = [both.there.client() for _ in STREAMS]
    try:
        for way, client in zip(STREAMS, clients, strict=True):
            client.headers.update(who.headers)
            asked = Asked("Go slowly.", new_thread(client) if way == "native" else None)
            readers[way] = Reader(client, opening(way, asked))
        assert all(reader.begun.wait(20) for reader in readers.values())
        began = time.monotonic()
        change(both, who)
        for way, reader in readers.items():
            reader.thread.join(SOON + 5)
            assert not reader.thread.is_alive(), way
            assert reader.ended_at - began <= SOON, way
            assert LAST_CODE[way](reader.body) == "stream_ended", (way, reader.body[-300:])
    finally:
        for client in clients:
            client.close()


@pytest.mark.parametrize("way", OVER_HTTP)
@pytest.mark.parametrize("origin", EVIL)
def test_S06_S07_no_door_takes_a_cookie_from_another_site(embedded: Served, way: str, origin: str) -> None:
    web = {"email": "peer@famulus.local", "password": PASSWORD, "session_mode": "web"}
    with embedded.client() as client:
        assert client.post("/api/auth/login", json=web).status_code == 200
        path, body = body_of(way, Asked("Mine.", new_thread(client) if way == "native" else None))
        before = threads_of(client)
        sent = {"Origin": origin}
        plain = {**sent, "Content-Type": "text/plain"}
        for answer in (
            client.post(path, json=body, headers=sent),
            client.post(path, content=b"{}", headers=plain),
        ):
            assert (answer.status_code, told_by(answer).code) == (403, "cross_origin")
            assert not [name for name in answer.headers if name.startswith("access-control-")]
        asks = {**sent, "Access-Control-Request-Method": "POST"}
        preflight = client.options(path, headers=asks)
        assert not [name for name in preflight.headers if name.startswith("access-control-")]
        assert threads_of(client) == before


@pytest.mark.parametrize("way", [way for way in WAYS if way != "chat completions"])
def test_A02_A03_another_s_thread_is_none_at_any_door(embedded: Served, way: str) -> None:
    """The same words as for one that there never was, and nothing is said in it."""
    theirs = embedded.academy.ids["thread"]
    with embedded.client("student") as owner:
        before = owner.get(f"/api/v1/threads/{theirs}/messages").json()
        for who in ("classmate", "admin", "site", "their_admin"):
            with embedded.client(who) as client:
                found = [WAYS[way](embedded, client, Asked("Mine.", one)) for one in (theirs, "thr_none")]
            assert found[0] == found[1]
            assert found[0].status == 404
        assert owner.get(f"/api/v1/threads/{theirs}/messages").json() == before


@pytest.mark.parametrize("way", FOLLOWED)
def test_A04_another_s_stream_is_none_at_any_door(embedded: Served, way: str) -> None:
    """While it is live as after its end."""
    with embedded.client("student") as student, embedded.client("classmate") as classmate:
        thread = new_thread(student)
        run = student.post(f"/api/v1/threads/{thread}/runs", json={"message": "Go slowly."}).json()["run"][
            "id"
        ]
        for live in (True, False):
            one = following(way, thread, run)
            began = time.monotonic()
            answer = classmate.request(one.method, one.path, json=one.body, headers=STREAM)
            assert answer.status_code == 404, answer.text
            assert "word" not in answer.text
            assert time.monotonic() - began < SOON
            if live:
                assert student.get(f"/api/v1/runs/{run}").json()["status"] == "running"
                student.post(f"/api/v1/runs/{run}/cancel")


@pytest.mark.parametrize("way", OVER_HTTP)
def test_A08_nobody_says_whose_a_message_is_or_what_became_of_it(embedded: Served, way: str) -> None:
    """Fields that are the server's to fill are refused or passed over."""
    own = embedded.academy.people["student"].id
    more = {
        "id": "msg_mine", "user_id": own, "organization_id": "org_mine", "role": "site_admin", "is_admin": True,
        "created_at": "2000-01-01T00:00:00Z", "status": "completed", "run_id": embedded.academy.ids["run"],
    }  # fmt: skip
    with embedded.client("classmate") as client, embedded.client("student") as student:
        path, body = body_of(way, Asked("Mine.", new_thread(client) if way == "native" else None))
        for name, value in more.items():
            answer = client.post(path, json={**body, name: value, "params": {**body.get("params", {}), name: value}}
                                 if way == "chatkit" else {**body, name: value})  # fmt: skip
            told = told_by(answer)
            if told.run:
                run = client.get(f"/api/v1/runs/{told.run}").json()
                assert run["message_id"] != "msg_mine"
                assert run["created_at"] > "2026"
                assert student.get(f"/api/v1/runs/{told.run}").status_code == 404
                client.post(f"/api/v1/runs/{told.run}/cancel")
            else:
                assert told.status in (400, 422), (name, told)


def test_A05_another_s_file_goes_with_no_message(embedded: Served) -> None:
    """Refused where it is put in, at both doors that take files, and not to be read by who has tried."""
    file = embedded.academy.ids["attachment"]
    with embedded.client("classmate") as client:
        thread = new_thread(client)
        sent = client.post(f"/api/v1/threads/{thread}/runs", json={"message": "See.", "attachments": [file]})
        assert sent.status_code == 404
        path, body = body_of("chatkit", Asked("See.", thread))
        body["params"]["input"]["attachments"] = [file]
        assert client.post(path, json=body).status_code == 404
        assert client.get(f"/api/v1/attachments/{file}").status_code == 404
        assert client.get(f"/api/v1/threads/{thread}/messages").json()["items"] == []


@pytest.mark.parametrize("way", OVER_HTTP)
def test_A06_A07_no_door_shows_what_another_wrote(embedded: Served, way: str) -> None:
    """Neither for a filter in the place of a name, nor for asking about it."""
    with embedded.client("their_student") as client:
        path, body = body_of(way, Asked("canary rivers *", new_thread(client) if way == "native" else None))
        places = [embedded.academy.ids["course"], '{"$ne": null}', "*", "crs_%"]
        for place in places:
            if way in ("responses", "chat completions"):
                answer = client.post(path, json={**body, "model": place})
                assert told_by(answer).status == 404
            elif way == "chatkit":
                answer = client.post(path, json={**body, "metadata": {"courseId": place}})
                assert answer.status_code in (404, 422)
            else:
                answer = client.post(path, json={**body, "course_id": place})
            assert not [mark for mark in MARKS.values() if mark in answer.text]
