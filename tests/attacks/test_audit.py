"""Nothing is changed without a word of it: every operation that changes people, places or material leaves an entry."""

from typing import Any

import pytest
from sqlalchemy import text

from famulus.kernel.database import Database
from tests.support.operations import CASES, filled, send
from tests.support.serving import Served, wait_for

ONES_OWN = ("/api/v1/threads", "/api/v1/runs", "/api/v1/messages", "/assistant/chats", "/api/chat")
"""What people say is kept with what they said; it is nobody else's to read about."""
CHANGES_NOTHING = {
    "POST /api/v1/ws-tickets": "a ticket is gone in half a minute",
    "POST /api/v1/attachments": "what people send is kept with what they say",
    "DELETE /api/v1/attachments/{attachment_id}": "likewise",
    "POST /api/auth/refresh": "sessions are listed themselves",
    "POST /api/auth/logout": "likewise",
    "POST /api/auth/switch": "the organization is the one that was active",
    "POST /api/auth/invitation/look": "only looks",
    "POST /api/auth/password/forgot": "only writes a mail",
    "POST /api/auth/email": "only writes a mail",
    "POST /api/auth/email/verification": "only writes a mail",
    "POST /api/auth/me/delete": "the password is not the right one",
    "PATCH /api/v1/organizations/{organization_id}": "the name is the one that it was",
    "PUT /api/v1/courses/{course_id}/assistant": "it may be pinned already",
    "PATCH /api/v1/organizations/{organization_id}/members/{user_id}": "the role is the one that it was",
    "PATCH /api/v1/courses/{course_id}/enrolments/{user_id}": "the role is the one that it was",
    "POST /api/v1/courses/{course_id}/enrolments/bulk": "they are in the course already",
    "POST /api/v1/organizations/{organization_id}/import": "a dry run",
    "PUT /api/v1/tracks/{track_id}/courses": "the order is the one that it was",
    "PUT /api/v1/courses/{course_id}/lessons/order": "the order is the one that it was",
    "PUT /api/v1/organizations/{organization_id}/tool-rules": "the rules are those that they were",
    "POST /api/v1/connections/{connection_id}/test": "it is as it was found before",
    "POST /api/v1/connections/{connection_id}/approve": "an API has nothing to approve",
    "DELETE /api/auth/sessions": "there are no others",
    "POST /api/v1/courses/{course_id}/golden-questions/import": "they are there already",
    "POST /api/v1/organizations/{organization_id}/triples/cancel": "nothing may be running",
    "DELETE /api/v1/organizations/{organization_id}/triples": "there may be none",
    "POST /api/v1/accounts/{user_id}/verify": "the address is verified already, once its link was opened",
    **{
        f"POST /api/v1/{kind}/restore": "it is not put away"
        for kind in (
            "organizations/{organization_id}",
            "projects/{project_id}",
            "tracks/{track_id}",
            "courses/{course_id}",
            "lessons/{lesson_id}",
            "quizzes/{quiz_id}",
            "tasks/{task_id}",
            "accounts/{user_id}",
        )
    },
}
"""Why these leave nothing to say, as the table of cases sends them; each is tried in earnest by its own tests."""
DEEDS = [
    operation
    for operation, case in CASES.items()
    if not operation.startswith("GET ")
    and not operation.partition(" ")[2].startswith(ONES_OWN)
    and operation not in CHANGES_NOTHING
]


def entries(server: Served) -> list[Any]:
    """The audit, oldest first."""

    async def read() -> list[Any]:
        database = Database(server.settings.database)
        try:
            async with database.read() as session:
                return list((await session.execute(text("SELECT * FROM audit_entries ORDER BY id"))).all())
        finally:
            await database.close()

    return wait_for(read())


@pytest.mark.parametrize("operation", DEEDS)
def test_a_change_leaves_an_entry(server: Served, ids: dict[str, str], operation: str) -> None:
    case = CASES[operation]
    before = len(entries(server))
    with server.client(case.who) as client:
        answer = send(client, operation, ids)
    assert answer.status_code == case.status, answer.text
    new = entries(server)[before:]
    assert new, f"{operation} has changed something and said nothing"
    if case.who is not None:
        assert {entry.actor_id for entry in new} == {server.academy.people[case.who].id}
        assert all(entry.actor_role and entry.address == "127.0.0.1" for entry in new)
        assert {entry.request_id for entry in new} == {answer.headers["x-request-id"]}
    assert not [entry for entry in new if "password" in str(entry).lower() and "password" not in entry.action]


@pytest.mark.parametrize("operation", [operation for operation in CASES if operation.startswith("PATCH ")])
def test_a_change_of_nothing_leaves_none(server: Served, ids: dict[str, str], operation: str) -> None:
    """Sent twice, or with nothing in it: nobody has changed anything, and nothing gets a new date."""
    case = CASES[operation]
    body = filled(case.body, ids)
    with server.client(case.who) as client:
        first = send(client, operation, ids, body=body)
        before = len(entries(server))
        again = send(client, operation, ids, body=body)
    assert (first.status_code, again.status_code) == (case.status, case.status), again.text
    assert entries(server)[before:] == []
    if "/sources/" not in operation:  # the background gives them one when it has read them
        assert again.json().get("updated_at") == first.json().get("updated_at")
