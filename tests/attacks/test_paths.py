"""S10: odd hosts, addresses and framings: the decision is the one of the route, or there is none."""

import json

import pytest

from tests.support.raw import raw
from tests.support.serving import Served

LINE = "{method} {target} HTTP/1.1\r\nHost: {host}\r\n{more}Connection: close\r\n\r\n"


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def ask(
    served: Served,
    target: str,
    *,
    who: str | None = None,
    host: str = "famulus.test",
    method: str = "GET",
    more: str = "",
) -> bytes:
    if who is not None:
        more += f"Authorization: Bearer {served.academy.people[who].token}\r\n"
    return raw(served, LINE.format(method=method, target=target, host=host, more=more).encode("latin-1"))


HOSTS = (
    "a/abc?x=", "a/api/auth/oidc?x=", "a/healthz?", "a#", "a@b", "/healthz", "", "a b", "evil.example:99999", "[", "é",
    "a/../../healthz",
)  # fmt: skip


@pytest.mark.parametrize("host", HOSTS)
def test_s10_a_host_changes_no_decision(embedded: Served, host: str) -> None:
    members = f"/api/v1/organizations/{embedded.academy.ids['organization']}/members"
    answers = {
        (who, path): status(ask(embedded, path, who=who, host=host))
        for who, path in ((None, members), ("student", members), ("admin", members), (None, "/healthz"))
    }
    if set(answers.values()) != {400}:
        assert list(answers.values()) == [401, 403, 200, 200]


def variants(path: str) -> tuple[str, ...]:
    """Spellings of a path that must not get around who may ask it."""
    head, _, last = path.rpartition("/")
    return (
        f"http://elsewhere.example{path}", f"https://famulus.test:443{path}", f"/{path}", f"//x{path}", f"{path}/",
        f"{path}//", f"/.{path}", f"/x/..{path}", f"{head}/./{last}", f"{head}/%2e/{last}", f"{head}/x/%2e%2e/{last}",
        f"{head}%2f{last}", f"{head}/{last.upper()}", path.upper(), f"{path};x=y", f"{path}%00", f"{path}%20",
        f"{path}?/healthz", f"{path}#healthz", f"{path}.json", f"{path}\\", f"{head}\\{last}", f"/healthz/..{path}",
        f"/assets/..{path}", f"/api/auth/oidc/..{path}", f"{path}%3f", f"{head}/%6d{last[1:]}",
    )  # fmt: skip


def test_s10_no_spelling_gets_around_a_right(embedded: Served) -> None:
    """Nobody and a student never get what an admin gets, however it is spelled."""
    path = f"/api/v1/organizations/{embedded.academy.ids['organization']}/members"
    secret = embedded.academy.people["admin"].email.encode()
    assert secret in ask(embedded, path, who="admin"), "there is something to be seen"
    for spelled in variants(path):
        for who in (None, "student"):
            answer = ask(embedded, spelled, who=who)
            assert secret not in answer, f"{spelled} as {who}"
            if status(answer) == 200:  # the web app's page, for a path that is none of ours
                assert b"text/html" in answer.partition(b"\r\n\r\n")[0], (
                    f"{spelled} as {who}: {answer[:300]!r}"
                )


@pytest.mark.parametrize("path", ["/api/v1/courses", "/api/v1/api-keys", "/api/auth/me"])
def test_s10_what_needs_a_sign_in_needs_it_in_every_spelling(embedded: Served, path: str) -> None:
    for spelled in variants(path):
        answer = ask(embedded, spelled)
        head, _, body = answer.partition(b"\r\n\r\n")
        assert status(answer) != 200 or b"text/html" in head, f"{spelled}: {answer[:300]!r}"
        if b"application/json" in head:
            assert set(json.loads(body)) & {"items", "user"} == set()


def test_s10_the_absolute_form_is_the_same_request(embedded: Served) -> None:
    for who, wanted in ((None, 401), ("student", 200)):
        assert status(ask(embedded, "http://elsewhere.example/api/v1/courses", who=who)) == wanted
        assert status(ask(embedded, "/api/v1/courses", who=who)) == wanted


TWO_LENGTHS = (
    "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
    "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
    "Content-Length: 5\r\nContent-Length: 60\r\n",
    "Transfer-Encoding: xchunked\r\nContent-Length: 5\r\n",
    "Transfer-Encoding : chunked\r\n",
    "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
)


@pytest.mark.parametrize("framing", TWO_LENGTHS, ids=repr)
def test_s10_a_request_hides_no_other(embedded: Served, framing: str) -> None:
    """Where two lengths are told, nothing behind the shorter is taken for somebody's next request."""
    inner = f"GET /api/v1/courses HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {embedded.academy.people['site'].token}\r\n\r\n"
    body = "0\r\n\r\n" + inner
    request = f"POST /api/auth/logout HTTP/1.1\r\nHost: x\r\n{framing}\r\n{body}"
    answer = raw(embedded, request.encode())
    assert answer.count(b"HTTP/1.1 ") <= 1, answer[:2000]
    assert b'"items"' not in answer


def test_s10_a_method_of_one_s_own(embedded: Served) -> None:
    for method in ("get", "GETX", "TRACE", "CONNECT", "PROPFIND", "G\x00T", "GET\t"):
        answer = ask(embedded, "/api/v1/courses", method=method)
        assert not answer or status(answer) in (400, 401, 404, 405, 501), f"{method}: {answer[:200]!r}"
    for override in ("X-HTTP-Method-Override: DELETE\r\n", "X-Method-Override: DELETE\r\n"):
        thread = embedded.academy.ids["thread"]
        answer = ask(embedded, f"/api/v1/threads/{thread}", who="student", more=override)
        assert status(answer) == 200
    assert status(ask(embedded, f"/api/v1/threads/{embedded.academy.ids['thread']}", who="student")) == 200
