"""Every operation of the API, each with somebody who may ask it and what they would send.

The tests of the contract and of rights go through this table; an operation that is not in it fails both.
Values in braces are names of ids in an academy, such as `{course}`; `{new}` is fresh text each time.
"""

import itertools
from collections.abc import Mapping
from typing import Any, cast

from httpx2 import Client, Response

from tests.support.academy import PASSWORD, Academy
from tests.support.cases import Case
from tests.support.cases_accounts import CASES_ACCOUNTS
from tests.support.cases_connections import CASES_CONNECTIONS
from tests.support.cases_front_ends import CASES_FRONT_ENDS
from tests.support.cases_outside import CASES_OUTSIDE
from tests.support.cases_people import CASES_PEOPLE
from tests.support.cases_places import CASES_PLACES
from tests.support.cases_tools import CASES_TOOLS
from tests.support.cases_triples import CASES_TRIPLES

_numbers = itertools.count(1)


LESSON = {"title": "Mills", "path": "mills-{new}.md", "body": "# Mills", "published": True}
ASSISTANT = {"scope": "global", "name": "Helper {new}", "instructions": "Help."}
API = {"session_mode": "api"}

GOLDEN = "/api/v1/courses/{course_id}/golden-questions"
GOLDEN_FILE = b'{"question": "What keeps the water high?", "document": "weirs.md"}'
CASES: dict[str, Case] = {
    "POST /api/auth/signup": Case(
        None, 201, body={"email": "{new}@famulus.local", "password": PASSWORD, "name": "New", **API}
    ),
    "POST /api/auth/login": Case(None, body={"email": "peer@famulus.local", "password": PASSWORD, **API}),
    "POST /api/auth/refresh": Case(None, body={"refresh_token": "{refresh_token}"}),
    "POST /api/auth/logout": Case(None, 204),
    "GET /api/auth/me": Case(),
    "POST /api/auth/switch": Case(body={"organization_id": "{organization}"}),
    "GET /api/v1/organizations": Case(),
    "POST /api/v1/organizations": Case("site", 201, body={"name": "Organization {new}"}, needs="site_admin"),
    "GET /api/v1/organizations/{organization_id}": Case(),
    "GET /api/v1/organizations/{organization_id}/members": Case("admin", needs="organization_admin"),
    "POST /api/v1/organizations/{organization_id}/members": Case(
        "admin", 201, body={"email": "{spare_email}"}, needs="organization_admin"
    ),
    "PATCH /api/v1/organizations/{organization_id}/members/{user_id}": Case(
        "admin", path={"user_id": "{classmate_id}"}, body={"role": "student"}, needs="organization_admin"
    ),
    "DELETE /api/v1/organizations/{organization_id}/members/{user_id}": Case(
        "admin", 204, path={"user_id": "{spare_member}"}, needs="organization_admin"
    ),
    "GET /api/v1/courses": Case(query={"organization_id": "{organization}"}),
    "POST /api/v1/courses": Case(
        "admin",
        201,
        body={"title": "Course {new}", "organization_id": "{organization}"},
        needs="teacher",
    ),
    "GET /api/v1/courses/my": Case(),
    "GET /api/v1/courses/{course_id}": Case(),
    "PATCH /api/v1/courses/{course_id}": Case(
        "teacher", body={"description": "Water {new}."}, needs="teacher"
    ),
    "GET /api/v1/courses/{course_id}/lessons": Case(),
    "POST /api/v1/courses/{course_id}/lessons": Case("teacher", 201, body=LESSON, needs="teacher"),
    "GET /api/v1/lessons/{lesson_id}": Case(),
    "PATCH /api/v1/lessons/{lesson_id}": Case("teacher", body={"title": "Springs {new}"}, needs="teacher"),
    "DELETE /api/v1/lessons/{lesson_id}": Case(
        "teacher", 204, path={"lesson_id": "{spare_lesson}"}, needs="teacher"
    ),
    "GET /api/v1/courses/{course_id}/enrolments": Case("teacher", needs="teacher"),
    "POST /api/v1/courses/{course_id}/enrolments": Case(
        "teacher", 201, body={"user_id": "{spare_newcomer}"}, needs="teacher"
    ),
    "DELETE /api/v1/courses/{course_id}/enrolments/{user_id}": Case(
        "teacher", 204, path={"user_id": "{spare_learner}"}, needs="teacher"
    ),
    "GET /api/v1/assistants": Case(
        "teacher", query={"course_id": "{course}", "organization_id": "{organization}"}
    ),
    "POST /api/v1/assistants": Case(
        "site",
        201,
        body=ASSISTANT,
        beside={
            "organization_id": {"scope": "organization", "role": "student"},
            "course_id": {"scope": "course"},
        },
        needs="site_admin",
    ),
    "GET /api/v1/assistants/resolve": Case(
        query={"course_id": "{course}", "organization_id": "{organization}"}
    ),
    "GET /api/v1/assistants/{assistant_id}": Case("teacher"),
    "PATCH /api/v1/assistants/{assistant_id}": Case("teacher", body={"name": "Guide {new}"}, needs="teacher"),
    "GET /api/v1/assistants/{assistant_id}/versions": Case("teacher", needs="teacher"),
    "PUT /api/v1/courses/{course_id}/assistant": Case(
        "teacher", 204, body={"assistant_id": "{assistant}"}, needs="teacher"
    ),
    "GET /api/v1/threads": Case(query={"course_id": "{course}"}),
    "POST /api/v1/threads": Case(
        status=201, body={"course_id": "{course}", "assistant_id": "{assistant}", "title": "Mine"}
    ),
    "GET /api/v1/threads/{thread_id}": Case(),
    "PATCH /api/v1/threads/{thread_id}": Case(body={"title": "{thread_title}"}),
    "DELETE /api/v1/threads/{thread_id}": Case(status=204, path={"thread_id": "{spare_thread}"}),
    "GET /api/v1/threads/{thread_id}/messages": Case(query={"order": "desc"}),
    "POST /api/v1/threads/{thread_id}/runs": Case(
        status=202,
        path={"thread_id": "{free_thread}"},
        body={"message": "Hello.", "context": {"title": "Page"}},
    ),
    "GET /api/v1/runs/{run_id}": Case(),
    "GET /api/v1/runs/{run_id}/events": Case(headers={"Accept": "application/json"}),
    "POST /api/v1/runs/{run_id}/cancel": Case(),
    "GET /api/v1/events": Case(endless=True),
    "GET /api/v1/search": Case(query={"q": "Where does a river begin?", "course_id": "{course}"}),
    "GET /api/v1/graph": Case(query={"entity": "River", "course_id": "{course}"}),
    "GET /api/v1/passages/{id}": Case(path={"id": "{passage}"}),
    "GET /api/v1/sources": Case(query={"course_id": "{course}"}),
    "GET /api/v1/sources/{id}": Case(path={"id": "{source}"}),
    "GET /api/v1/sources/{id}/events": Case(path={"id": "{source}"}),
    "POST /api/v1/sources": Case(
        "teacher",
        201,
        body={
            "kind": "git",
            "name": "Code {new}",
            "location": "https://127.0.0.1/{new}.git",
            "course_id": "{course}",
        },
        needs="teacher",
    ),
    "PATCH /api/v1/sources/{id}": Case(
        "teacher", path={"id": "{git_source}"}, body={"exclude": ["*.txt", "{new}"]}, needs="teacher"
    ),
    "POST /api/v1/sources/{id}/run": Case("teacher", 202, path={"id": "{git_source}"}, needs="teacher"),
    "DELETE /api/v1/sources/{id}": Case("teacher", 204, path={"id": "{spare_source}"}, needs="teacher"),
    "GET /api/v1/sources/{id}/documents": Case(path={"id": "{source}"}),
    "GET /api/v1/documents/{id}": Case(path={"id": "{document}"}),
    "POST /api/v1/courses/{id}/sources": Case(
        "teacher", 201, path={"id": "{course}"}, file=True, needs="teacher"
    ),
    f"GET {GOLDEN}": Case("teacher", needs="teacher"),
    f"GET {GOLDEN}/report": Case("teacher", needs="teacher"),
    f"POST {GOLDEN}": Case(
        "teacher", 201, body={"question": "What is {new}?", "document": "weirs.md"}, needs="teacher"
    ),
    f"POST {GOLDEN}/import": Case("teacher", file=True, content=GOLDEN_FILE, needs="teacher"),
    f"POST {GOLDEN}/check": Case("teacher", 202, needs="teacher"),
    f"POST {GOLDEN}/accept": Case("teacher", needs="teacher"),
    f"DELETE {GOLDEN}/{{golden_id}}": Case(
        "teacher", 204, path={"golden_id": "{spare_golden}"}, needs="teacher"
    ),
    **CASES_TRIPLES,
    **CASES_PEOPLE,
    "GET /healthz": Case(None),
    "GET /readyz": Case(None),
    "GET /api/v1/about": Case(None),
    **CASES_PLACES,
    **CASES_TOOLS,
    **CASES_OUTSIDE,
    **CASES_CONNECTIONS,
    **CASES_ACCOUNTS,
    **CASES_FRONT_ENDS,
}
"""By `METHOD /path`, as the OpenAPI document writes it."""


def filled(value: Any, ids: Mapping[str, str]) -> Any:
    """The value with every name in braces replaced."""
    if isinstance(value, str):
        return value.format_map({**ids, "new": f"new{next(_numbers)}"}) if "{" in value else value
    if isinstance(value, Mapping):
        return {key: filled(item, ids) for key, item in value.items()}
    if isinstance(value, list):
        return [filled(item, ids) for item in cast(list[Any], value)]
    return value


def own_path(operation: str, case: Case) -> dict[str, str]:
    """The names of the ids in an operation's path, in braces, by parameter."""
    names = [piece.partition("}")[0] for piece in operation.split("{")[1:]]
    return {name: case.path.get(name, f"{{{name.removesuffix('_id')}}}") for name in names}


def send(
    client: Client,
    operation: str,
    ids: Mapping[str, str],
    *,
    path: Mapping[str, str] | None = None,
    query: Mapping[str, str] | None = None,
    body: Mapping[str, Any] | None = None,
) -> Response:
    """Send an operation's own request, with parts of it replaced."""
    method, _, template = operation.partition(" ")
    case = CASES[operation]
    places = {**filled(own_path(operation, case), ids), **(path or {})}
    given: dict[str, Any] = {
        "headers": dict(case.headers),
        "params": {**filled(case.query, ids), **(query or {})},
    }
    if case.file:
        given["files"] = {"file": (filled("notes-{new}.md", ids), case.content)}
    elif case.body is not None or body is not None:
        given["json"] = {**filled(case.body or {}, ids), **(body or {})}
    return client.request(method, template.format_map(places), **given)


def with_people(academy: Academy) -> dict[str, str]:
    """The ids of an academy and those of its people, as `student_id`."""
    return {**academy.ids, **{f"{name}_id": person.id for name, person in academy.people.items()}}
