"""One's own data as JSON lines: all of it, nobody else's, and only for whoever has signed in."""

import json
from collections import Counter

from tests.support.academy import MARKS, PASSWORD, new_task, new_thread
from tests.support.operations import filled
from tests.support.problems import assert_problem
from tests.support.serving import Served

EXPORT = "/api/auth/me/export"


def test_everything_is_in_it_and_nothing_of_others(server: Served) -> None:
    account = {
        "email": filled("own{new}@famulus.local", {}),
        "password": PASSWORD,
        "name": "Own",
        "session_mode": "api",
    }
    with server.client() as client:
        token = client.post("/api/auth/signup", json=account).json()["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        for number in range(101):
            new_task(client, f"Task {number}")
        kept, away = new_thread(client, title="Kept"), new_thread(client, title="Away")
        asked = client.post(f"/api/v1/threads/{away}/runs", json={"message": "Where is the well?"}).json()
        assert "run.completed" in client.get(f"/api/v1/runs/{asked['run']['id']}/events").text
        assert client.post(f"/api/v1/threads/{away}/archive").status_code == 200

        answer = client.get(EXPORT)

        lines = [json.loads(line) for line in answer.text.splitlines()]
        assert Counter(line["kind"] for line in lines) == {
            "account": 1,
            "task": 101,
            "thread": 2,
            "message": 2,
        }
        assert lines[0]["email"] == account["email"]
        assert {line["id"] for line in lines if line["kind"] == "thread"} == {kept, away}
        said = client.get(f"/api/v1/threads/{away}/messages").json()["items"]
        assert [line for line in lines if line["kind"] == "message"] == [
            {"kind": "message", **each} for each in said
        ]
        assert not [mark for mark in MARKS.values() if mark in answer.text]
        assert answer.headers["cache-control"] == "no-store"
        key = client.post("/api/v1/api-keys", json={"name": "All", "scopes": ["read", "chat"]}).json()["key"]
    with server.client() as program:
        assert_problem(program.get(EXPORT, headers={"X-API-Key": key}), 403, "needs_session")
