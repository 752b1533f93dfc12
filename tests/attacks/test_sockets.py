"""WebSockets and whoever should not be there: handshakes (S08), tickets, rights that end (P13), more than is allowed."""

import json
import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.attacks.test_revocation import (  # fmt: skip
    SOON,
    Instances,
    Pupil,
    change_password,
    end_session,
    expel,
    instances,
    promote,
    pupil,
    sign_out,
    suspend,
)
from tests.support.academy import PASSWORD, new_thread
from tests.support.serving import Served
from tests.support.sockets import asked, heard, opened, say, until


def refused(served: Served, who: str | None = None, **options: object) -> tuple[int, str]:
    """How a handshake is refused."""
    with pytest.raises(InvalidStatus) as raised, opened(served, who, **options):  # pyright: ignore[reportArgumentType]
        pass
    response = raised.value.response
    body = json.loads(response.body or b"{}")
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["x-request-id"]
    return response.status_code, body["code"]


def works(served: Served, who: str | None = None, **options: object) -> bool:
    with opened(served, who, **options) as socket:  # pyright: ignore[reportArgumentType]
        say(socket, "ping")
        return heard(socket) == {"type": "pong"}


def cookie(served: Served, who: str) -> str:
    with served.client() as client:
        body = {"email": served.academy.people[who].email, "password": PASSWORD, "session_mode": "web"}
        return client.post("/api/auth/login", json=body).headers["set-cookie"].partition(";")[0]


def test_S08_a_cookie_needs_a_page_of_ours(embedded: Served) -> None:
    held = {"Cookie": cookie(embedded, "student")}
    ours = f"http://127.0.0.1:{embedded.port}"
    assert works(embedded, headers=held, origin=ours)
    for evil in (
        "https://evil.example",
        "null",
        f"{ours}.evil.example",
        f"http://evil.example:{embedded.port}",
    ):
        assert refused(embedded, headers=held, origin=evil) == (403, "cross_origin")
    assert refused(embedded, headers=held) == (403, "cross_origin")
    same = {**held, "Sec-Fetch-Site": "same-origin"}
    assert refused(embedded, headers=same, origin="https://evil.example") == (403, "cross_origin")
    assert works(embedded, "student", origin="https://evil.example"), "a token is put there on purpose"


def test_S08_no_token_stands_in_an_address(embedded: Served, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    token = embedded.academy.people["student"].token
    for name in ("token", "access_token", "authorization", "api_key", "bearer"):
        assert refused(embedded, query=f"?{name}={token}") == (401, "unauthenticated")
    assert refused(embedded, query=f"?ticket={token}") == (401, "ticket_refused")
    with embedded.client("student") as client:
        ticket = client.post("/api/v1/ws-tickets").json()["ticket"]
    assert works(embedded, query=f"?ticket={ticket}")
    assert token not in caplog.text
    assert ticket not in caplog.text


def test_S08_who_is_not_let_in(embedded: Served) -> None:
    assert refused(embedded) == (401, "unauthenticated")
    assert refused(embedded, headers={"Authorization": "Bearer fma_wrong"}) == (401, "unauthenticated")
    assert refused(embedded, headers={"Cookie": "famulus_session=wrong"}) == (401, "unauthenticated")
    wrong = ["famulus.v1", "bearer.fma_wrong"]
    assert refused(embedded, subprotocols=wrong) == (401, "unauthenticated")
    with embedded.client("student") as client:
        body = {"name": "Reads", "scopes": ["read"]}
        key = client.post("/api/v1/api-keys", json=body).json()["key"]
        talks = client.post("/api/v1/api-keys", json={"name": "Talks", "scopes": ["chat"]}).json()["key"]
    assert refused(embedded, headers={"X-API-Key": key}) == (403, "scope_missing")
    assert works(embedded, headers={"X-API-Key": talks})


def test_a_page_sends_its_token_as_a_protocol(embedded: Served) -> None:
    token = embedded.academy.people["student"].token
    with opened(embedded, subprotocols=["famulus.v1", f"bearer.{token}"]) as socket:
        assert socket.subprotocol == "famulus.v1", "and the token is not sent back"
        assert asked(socket, "Hello.")[-1]["status"] == "completed"


def test_a_ticket_opens_one_socket(server: Served) -> None:
    with server.client("student") as client:
        made = client.post("/api/v1/ws-tickets").json()
        assert made["expires_in"] == 30
        query = f"?ticket={made['ticket']}"
        assert works(server, query=query)
        assert refused(server, query=query) == (401, "ticket_refused")
        query = f"?ticket={client.post('/api/v1/ws-tickets').json()['ticket']}"

        def attempt(_: int) -> bool:
            try:
                return works(server, query=query)
            except InvalidStatus:
                return False

        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(attempt, range(8))) == 1, "of many at one moment, one"
    with server.client() as nobody:
        assert nobody.post("/api/v1/ws-tickets").status_code == 401


def test_a_ticket_reaches_as_far_as_what_it_was_asked_for_with(embedded: Served) -> None:
    with embedded.client("student") as client:
        body = {"email": "student@famulus.local", "password": PASSWORD, "session_mode": "api"}
        tokens = client.post("/api/auth/login", json=body).json()
        headers = {"Authorization": f"Bearer {tokens['access_token']}"}
        ticket = client.post("/api/v1/ws-tickets", headers=headers).json()["ticket"]
        assert client.post("/api/auth/logout", headers=headers).status_code == 204
        assert refused(embedded, query=f"?ticket={ticket}") == (401, "unauthenticated")
        read = client.post("/api/v1/api-keys", json={"name": "Reads", "scopes": ["read"]}).json()["key"]
        answer = client.post("/api/v1/ws-tickets", headers={"Authorization": f"Bearer {read}"})
        assert answer.status_code == 403


def test_what_a_frame_says_of_its_sender_is_nothing(embedded: Served) -> None:
    """Nor does an id of somebody else's, in any field, lead anywhere."""
    student = embedded.academy.people["student"].id
    with opened(embedded, "classmate") as socket, embedded.client("student") as client:
        frames = asked(
            socket, "Please use a tool.", user_id=student, role="site_admin", organization_id="org_x",
            context={"user_role": "site_admin", "user_id": student},
        )  # fmt: skip
        thread = frames[0]["thread_id"]
        assert client.get(f"/api/v1/threads/{thread}").status_code == 404
    with opened(embedded, "classmate") as socket:
        say(socket, "user_message", content="x", thread_id=embedded.academy.ids["thread"], user_id=student)
        assert heard(socket)["code"] == "thread_not_found"


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instances]:
    with instances(str(request.param), tmp_path_factory.mktemp("sockets"), request) as made:
        yield made


@pytest.mark.slow
@pytest.mark.parametrize(
    "change", [sign_out, end_session, change_password, suspend, promote, expel], ids=lambda one: one.__name__
)
def test_P13_A11_sockets_end_and_their_runs_go_on(
    both: Instances, change: Callable[[Instances, Pupil], None]
) -> None:
    """One that follows a run, and one on which nothing happens; done here, in force there."""
    who = pupil(both)
    with (
        opened(both.there, headers=who.headers) as busy,
        opened(both.there, headers=who.headers) as idle,
        both.there.client("site") as site,
    ):
        say(busy, "user_message", content="Go slowly.")
        frames = until(busy, lambda frame: frame["id"] == "1.5")
        began = time.monotonic()
        change(both, who)
        for socket in (busy, idle):
            last: dict[str, object] = {}
            with pytest.raises(ConnectionClosed) as ended:
                while True:
                    last = heard(socket)
            assert time.monotonic() - began < SOON
            assert (last["type"], last["code"]) == ("error", "stream_ended")
            assert ended.value.rcvd is not None
            assert (ended.value.rcvd.code, ended.value.rcvd.reason) == (4401, "stream_ended")
        assert frames[0]["run_id"]
        assert site.get("/readyz").status_code == 200


@pytest.mark.slow
def test_P13_A11_who_has_left_a_course_is_told_no_more_of_it(both: Instances) -> None:
    """The run of the course ends for them; the socket and their other runs go on."""
    who, course = pupil(both), both.here.academy.ids["course"]
    place = f"/api/v1/courses/{course}/enrolments"
    with both.here.client("admin") as admin, both.there.client() as client:
        assert admin.post(place, json={"user_id": who.id}).status_code == 201
        client.headers.update(who.headers)
        inside, outside = new_thread(client, course_id=course), new_thread(client)
        with opened(both.there, headers=who.headers) as socket:
            runs: list[str] = []
            for thread in (inside, outside):
                say(socket, "user_message", content="Go slowly.", thread_id=thread)
                runs.append(until(socket, lambda frame: frame.get("stage") == "accepted")[-1]["run_id"])
            time.sleep(0.3)
            began = time.monotonic()
            assert admin.delete(f"{place}/{who.id}").status_code == 204
            ended = until(socket, lambda frame: frame["type"] == "error")[-1]
            assert time.monotonic() - began < SOON
            assert (ended["code"], ended["run_id"]) == ("course_left", runs[0])
            say(socket, "user_message", content="Hello.", thread_id=inside)
            assert until(socket, lambda frame: frame["type"] == "error")[-1]["code"] == "forbidden"
            say(socket, "cancel", run_id=runs[1])
            assert until(socket, lambda frame: frame["type"] == "done")[-1]["run_id"] == runs[1]


@pytest.mark.slow
def test_a_revoked_key_ends_its_sockets(embedded: Served) -> None:
    with embedded.client("student") as client:
        made = client.post("/api/v1/api-keys", json={"name": "Talks", "scopes": ["chat"]}).json()
        with opened(embedded, headers={"X-API-Key": made["key"]}) as socket:
            began = time.monotonic()
            assert client.delete(f"/api/v1/api-keys/{made['id']}").status_code == 204
            assert heard(socket)["code"] == "stream_ended"
            assert time.monotonic() - began < SOON
