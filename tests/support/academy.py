"""Two organizations with everything that one may see and another may not, each with a mark that gives a leak away.

ours    admin, teacher (teaches Rivers), student and classmate (learn it), peer (a member who learns nothing)
        Rivers: three lessons and a draft, two quizzes, an assistant of its own, an upload · Hidden: a course not published
        a project with a track; the student has a task
theirs  their_admin, their_student (learns Dams)
site    administers the site

Only where it is asked for: colleague, a teacher of ours who teaches another course, Bridges.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from httpx2 import Client
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.campus.quizzes import create_quiz
from famulus.campus.schemas.quizzes import NewQuiz
from famulus.campus.seeding import (
    Person,
    PlannedCourse,
    PlannedLesson,
    PlannedOrganization,
    seed_organization,
)
from famulus.identity.accounts import find_by_email
from famulus.identity.passwords import Passwords
from famulus.identity.sessions import open_session
from famulus.kernel.database import Database
from famulus.knowledge.lessons import sync_course_lessons
from tests.support.pictures import picture
from tests.support.quizzes import questions
from tests.support.rooms import SITE
from tests.support.shop import tiny_document
from tests.support.sse import events_of

PASSWORD = "correct horse battery"
SECRET = "canary-secret-of-a-connection-7f3a"
"""No answer has it, whoever asks."""
OURS = (
    Person("site@famulus.local", "Site", role=None, site_admin=True),
    Person("admin@famulus.local", "Admin", role="organization_admin"),
    Person("teacher@famulus.local", "Teacher", role="teacher"),
    Person("student@famulus.local", "Student", role="student"),
    Person("classmate@famulus.local", "Classmate", role="student"),
    Person("peer@famulus.local", "Peer", role="student"),
)
COLLEAGUE = Person("colleague@famulus.local", "Colleague", role="teacher")
THEIRS = (
    Person("their_admin@famulus.local", "Their Admin", role="organization_admin"),
    Person("their_student@famulus.local", "Their Student", role="student"),
)
MARKS = {
    name: f"canary-{name.replace('_', '-')}-7f3a"
    for name in (
        "course", "lesson", "draft", "quiz", "hidden", "instructions", "upload", "thread", "message", "teacher_thread",
        "teacher_message", "task", "places", "their_lesson", "their_instructions", "their_places",
    )
}  # fmt: skip
"""What must not be seen where it does not belong, by what it stands in."""
RIVERS = PlannedCourse(
    f"Rivers {MARKS['course']}",
    "How water finds its way.",
    (
        PlannedLesson(
            "Springs", "springs.md", f"# Springs\n\nA spring is where a river begins. {MARKS['lesson']}"
        ),
        PlannedLesson("Deltas", "deltas.md", "# Deltas\n\nA delta is where a river ends in the sea."),
        PlannedLesson("Locks", "locks.md", "# Locks\n\nA lock lifts boats over a weir."),
        PlannedLesson(
            "Floods", "floods.md", f"# Floods\n\nFloods come in spring. {MARKS['draft']}", published=False
        ),
    ),
    {
        "teacher@famulus.local": "teacher",
        "student@famulus.local": "student",
        "classmate@famulus.local": "student",
    },
)
BRIDGES = PlannedCourse(
    "Bridges",
    "How water is crossed.",
    (PlannedLesson("Arches", "arches.md", "# Arches\n\nAn arch carries itself."),),
    {"colleague@famulus.local": "teacher"},
)
DAMS = PlannedCourse(
    "Dams",
    "How water is held.",
    (PlannedLesson("Walls", "walls.md", f"# Walls\n\nA wall holds water back. {MARKS['their_lesson']}"),),
    {"their_student@famulus.local": "student"},
)


@dataclass(frozen=True)
class Member:
    """Somebody who is signed in."""

    id: str
    email: str
    token: str


@dataclass(frozen=True)
class Academy:
    """Who is there, and the ids of what is there by name; `furnish` adds to them."""

    people: Mapping[str, Member]
    ids: dict[str, str] = field(default_factory=dict[str, str])


async def plant(database_url: str, *, colleague: bool = False) -> Academy:
    """Fill an empty database: organizations, people, courses, lessons and what is known of them."""
    ours, more = (*OURS, *([COLLEAGUE] if colleague else [])), [BRIDGES] if colleague else []
    database, passwords = Database(database_url), Passwords()
    try:
        hashed = await passwords.hash(PASSWORD)
        people: dict[str, Member] = {}
        ids: dict[str, str] = {}
        async with database.write() as session:
            for key, planned in (
                ("course", PlannedOrganization("Ours", ours, (RIVERS, *more))),
                ("their_course", PlannedOrganization("Theirs", THEIRS, (DAMS,))),
            ):
                [ids[key], *others] = await seed_organization(session, planned, password_hash=hashed) or [""]
                ids |= dict.fromkeys(["other_course"] if others else [], "".join(others))
            quizzes = await _draft_quizzes(session, ids)
            for person in (*ours, *THEIRS):
                account = await find_by_email(session, person.email)
                assert account is not None
                opened = await open_session(session, account, "api")
                name = person.email.partition("@")[0]
                people[name] = Member(account.id, account.email, opened.token)
        for course in ids.values():
            await sync_course_lessons(database, course)
        ids |= quizzes
    finally:
        passwords.close()
        await database.close()
    return Academy(people, ids)


async def _draft_quizzes(session: AsyncSession, courses: Mapping[str, str]) -> dict[str, str]:
    """Two quizzes of Rivers and one of every other course, as an assistant drafts them."""
    found: dict[str, str] = {}
    for name, course in (("spare_course", courses["course"]), *courses.items()):
        new = NewQuiz.model_validate({"title": "Quiz", "questions": questions()})
        if course == courses["course"]:
            new = new.model_copy(update={"title": f"Quiz {MARKS['quiz']}"})
        quiz = await create_quiz(session, SITE, course, new)
        found[name.replace("course", "quiz")] = quiz.id
    return found


def furnish(academy: Academy, client: Callable[[str], Client]) -> None:
    """Add, over HTTP, what people have made in the meantime, and learn every id."""
    with client("admin") as admin, client("teacher") as teacher, client("student") as student:
        ids, course = academy.ids, academy.ids["course"]
        ids["organization"] = _get(teacher, f"/api/v1/courses/{course}")["organization_id"]
        lessons = {
            one["title"]: one["id"] for one in _get(teacher, f"/api/v1/courses/{course}/lessons")["items"]
        }
        ids["lesson"], ids["draft"] = lessons["Springs"], lessons["Floods"]
        hidden = {"title": f"Hidden {MARKS['hidden']}"}
        ids["hidden_course"] = _post(admin, "/api/v1/courses", hidden)["id"]
        ids["assistant"] = new_assistant(teacher, course, MARKS["instructions"])
        text = f"# Weirs\n\nA weir keeps the water high. {MARKS['upload']}".encode()
        uploaded = teacher.post(f"/api/v1/courses/{course}/sources", files={"file": ("weirs.md", text)})
        assert uploaded.status_code == 201, uploaded.text
        ids["source"] = uploaded.json()["id"]
        ids |= _known(teacher, ids["source"], "")
        ids["golden"] = _new_golden(teacher, course)
        code = {"kind": "git", "name": "Code", "location": "https://127.0.0.1/code.git", "course_id": course}
        ids["git_source"] = _post(teacher, "/api/v1/sources", code)["id"]
        lessons_source = next(
            one["id"]
            for one in _get(teacher, "/api/v1/sources", course_id=course)["items"]
            if one["kind"] == "lessons"
        )
        ids |= _known(teacher, lessons_source, "draft_", path="floods.md")
        ids["key"], ids["organization_key"] = new_key(student), new_key(admin, ids["organization"])
        ids["connection"] = new_connection(admin, "ours")
        ids["session"] = _get(student, "/api/auth/sessions")["items"][0]["id"]
        ids["thread"], ids["run"] = _conversation(student, course, MARKS["thread"], MARKS["message"])
        ids["message"] = answer_of(student, ids["run"])
        student.put(f"/api/v1/messages/{ids['message']}/feedback", json={"rating": "up"})
        ids["invitation"] = new_invitation(admin, ids["organization"], "invited@example.org")
        ids["teacher_thread"], ids["teacher_run"] = _conversation(
            teacher, course, MARKS["teacher_thread"], MARKS["teacher_message"]
        )
        ids |= _places(admin, teacher, MARKS["places"], "")
        ids["task"] = new_task(student, f"Read {MARKS['task']}")
        ids["teacher_task"] = new_task(teacher, "Correct")
        ids["teacher_message"] = answer_of(teacher, ids["teacher_run"])
        ids["attachment"] = new_attachment(student)
        ids["approval"], _ = new_approval(student)
        ids["teacher_approval"], _ = new_approval(teacher)
        academy.ids.update(ids)
    with client("their_admin") as their_admin:
        _furnish_theirs(academy, their_admin)
    if "colleague" in academy.people:
        with client("colleague") as colleague:
            _furnish_course(academy, colleague, "other_", "Cross the water.")
            track = {"project_id": ids["project"], "name": "Crossings"}
            ids["other_track"] = _post(colleague, "/api/v1/tracks", track)["id"]
    with client("site") as site:
        newcomer = {
            "email": "newcomer@famulus.local",
            "password": PASSWORD,
            "name": "N",
            "session_mode": "api",
        }
        _post(site, "/api/auth/signup", newcomer)
        academy.ids["mail"] = mailed(site, newcomer["email"], "verify")["id"]


def _furnish_theirs(academy: Academy, their_admin: Client) -> None:
    ids, course = academy.ids, academy.ids["their_course"]
    ids["their_organization"] = _get(their_admin, f"/api/v1/courses/{course}")["organization_id"]
    _furnish_course(academy, their_admin, "their_", MARKS["their_instructions"])
    ids |= _places(their_admin, their_admin, MARKS["their_places"], "their_")
    ids["their_key"] = new_key(their_admin, ids["their_organization"])
    ids["their_connection"] = new_connection(their_admin, "theirs")
    ids["their_thread"], ids["their_run"] = _conversation(their_admin, course, "Walls", "What is a wall?")
    ids["their_message"] = answer_of(their_admin, ids["their_run"])
    ids["their_approval"], _ = new_approval(their_admin)
    ids["their_invitation"] = new_invitation(
        their_admin, ids["their_organization"], "their_invited@example.org"
    )


def _furnish_course(academy: Academy, client: Client, prefix: str, instructions: str) -> None:
    """The first lesson of somebody's course, an assistant for it, and what is known of it."""
    ids, course = academy.ids, academy.ids[f"{prefix}course"]
    ids[f"{prefix}lesson"] = _get(client, f"/api/v1/courses/{course}/lessons")["items"][0]["id"]
    ids[f"{prefix}assistant"] = new_assistant(client, course, instructions)
    source = _get(client, "/api/v1/sources", course_id=course)["items"][0]["id"]
    ids[f"{prefix}source"] = source
    academy.ids.update(_known(client, source, prefix))
    ids[f"{prefix}golden"] = _new_golden(client, course)


def _new_golden(client: Client, course: str) -> str:
    golden = {"question": "What keeps the water high?", "document": "weirs.md"}
    return str(_post(client, f"/api/v1/courses/{course}/golden-questions", golden)["items"][0]["id"])


def mailed(site: Client, recipient: str, kind: str) -> Any:
    """The newest mail of a kind to somebody, as the site's admin reads it in the outbox; waited for, if need be."""
    for _ in range(100):
        for mail in _get(site, "/api/v1/mails")["items"]:
            if (mail["recipient"], mail["kind"]) == (recipient, kind):
                return _get(site, f"/api/v1/mails/{mail['id']}")
        time.sleep(0.05)
    raise AssertionError(f"There is no mail {kind!r} to {recipient}.")


def vouch(site: Client, email: str) -> str:
    """Have an address be known as its account's, as the site's admin; returns the account's id."""
    [account] = _get(site, "/api/v1/accounts", q=email)["items"]
    assert site.post(f"/api/v1/accounts/{account['id']}/verify").status_code == 200
    return str(account["id"])


def token_of(mail: Any) -> str:
    """What stands in the link of a mail."""
    return str(mail["body"]).partition("token=")[2].split()[0]


def new_assistant(client: Client, course_id: str, instructions: str, **settings: object) -> str:
    """An assistant of a course; returns its id."""
    body = {
        "scope": "course", "name": "Guide", "instructions": instructions, "course_id": course_id,
        "settings": settings,
    }  # fmt: skip
    return str(_post(client, "/api/v1/assistants", body)["id"])


def new_task(client: Client, title: str) -> str:
    """A task of the client's own; returns its id."""
    return str(_post(client, "/api/v1/tasks", {"title": title})["id"])


def new_attachment(client: Client) -> str:
    """A picture of the client's own; returns its id."""
    sent = client.post("/api/v1/attachments", files={"file": ("dot.png", picture(size=(2, 2)), "image/png")})
    assert sent.status_code == 201, sent.text
    return str(sent.json()["id"])


def new_key(client: Client, organization_id: str | None = None) -> str:
    """An API key of the client's own, or of an organization; returns its id."""
    place = f"/organizations/{organization_id}" if organization_id else ""
    return str(_post(client, f"/api/v1{place}/api-keys", {"name": "Export", "scopes": ["read"]})["id"])


def new_connection(client: Client, name: str) -> str:
    """A connection of the client's organization to an API that is not there; returns its id."""
    body = {"name": name, "document": tiny_document(), "auth": {"kind": "bearer", "token": SECRET}}
    return str(_post(client, "/api/v1/connections", body)["id"])


def new_thread(client: Client, **fields: object) -> str:
    """A thread of the client's own; returns its id."""
    return str(_post(client, "/api/v1/threads", fields)["id"])


def threads_of(client: Client) -> set[str]:
    """The ids of every thread of the client's own; their state may still change, for runs go on without a reader."""
    found: set[str] = set()
    query: dict[str, Any] = {"limit": 100}
    for _ in range(50):
        page = client.get("/api/v1/threads", params=query).json()
        found |= {each["id"] for each in page["items"]}
        if not page["next"]:
            return found
        query["after"] = page["next"]
    raise AssertionError("there are more threads than any test makes")


def _places(admin: Client, teacher: Client, name: str, prefix: str) -> dict[str, str]:
    """A project and a track in it."""
    project = str(_post(admin, "/api/v1/projects", {"name": name})["id"])
    track = _post(teacher, "/api/v1/tracks", {"project_id": project, "name": name})["id"]
    return {f"{prefix}project": project, f"{prefix}track": track}


def new_invitation(client: Client, organization_id: str, email: str) -> str:
    """A place that is held for somebody; returns its id."""
    body = {"email": email, "role": "student"}
    return str(_post(client, f"/api/v1/organizations/{organization_id}/invitations", body)["id"])


def answer_of(client: Client, run_id: str) -> str:
    """The id of the message that answers in a run."""
    return str(_get(client, f"/api/v1/runs/{run_id}")["answer"]["id"])


def _conversation(client: Client, course_id: str, title: str, message: str) -> tuple[str, str]:
    """A thread with one finished run."""
    thread = new_thread(client, course_id=course_id, title=title)
    return thread, _ask(client, thread, message, "run.completed")


def new_approval(client: Client) -> tuple[str, str]:
    """A call that waits for the client's own yes; returns the approval's id and its hash."""
    task = f"task{uuid4().hex[:12]}"
    _ask(client, new_thread(client), f"erase {task}", "approval.requested")
    newest = _get(client, "/api/v1/approvals", pending="true")["items"][0]
    return str(newest["id"]), str(newest["approval"]["hash"])


def new_note(client: Client) -> tuple[str, str]:
    """An answer that can be taken back; returns its message's id and the call's."""
    run = _ask(client, new_thread(client), f"note task{uuid4().hex[:12]}", "run.completed")
    answer = _get(client, f"/api/v1/runs/{run}")["answer"]
    return str(answer["id"]), next(str(part["call_id"]) for part in answer["parts"] if part["type"] == "tool")


def _ask(client: Client, thread: str, message: str, last: str) -> str:
    """A run that has come to its last event; returns its id."""
    path, headers = f"/api/v1/threads/{thread}/runs", {"Accept": "text/event-stream"}
    with client.stream("POST", path, json={"message": message}, headers=headers) as response:
        assert response.status_code == 200
        assert [event.name for event in events_of(response)][-1] == last
        return str(response.headers["x-run-id"])


def _known(client: Client, source: str, prefix: str, *, path: str | None = None) -> dict[str, str]:
    """A document of a source and a passage of it."""
    documents = _get(client, f"/api/v1/sources/{source}/documents")["items"]
    document = next(one["id"] for one in documents if path in (None, one["path"]))
    passage = _get(client, f"/api/v1/documents/{document}")["items"][0]["id"]
    return {f"{prefix}document": document, f"{prefix}passage": passage}


def _get(client: Client, path: str, **params: str) -> Any:
    response = client.get(path, params=params)
    assert response.status_code == 200, response.text
    return response.json()


def _post(client: Client, path: str, body: object) -> Any:
    response = client.post(path, json=body)
    assert response.status_code == 201, response.text
    return response.json()
