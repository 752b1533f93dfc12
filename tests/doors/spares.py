"""Things of the academy that a test may use up, made as people make them."""

from httpx2 import Client

from tests.support.academy import (
    MARKS,
    PASSWORD,
    mailed,
    new_approval,
    new_attachment,
    new_connection,
    new_invitation,
    new_key,
    new_note,
    new_task,
    new_thread,
    token_of,
    vouch,
)
from tests.support.mails import mailed_token
from tests.support.operations import filled, send, with_people
from tests.support.serving import Served


def spares(server: Served) -> dict[str, str]:
    """Ids of things that a test may use up."""
    ids = with_people(server.academy)
    with (
        server.client("student") as student,
        server.client("teacher") as teacher,
        server.client("admin") as admin,
        server.client("site") as site,
    ):
        ids["spare_thread"] = new_thread(student, course_id=ids["course"])
        ids["spare_chat"] = new_thread(student, course_id=ids["course"])
        ids["bare_course"] = admin.post("/api/v1/courses", json={"title": filled("Bare {new}", {})}).json()[
            "id"
        ]
        ids["free_thread"] = new_thread(student, course_id=ids["course"])
        ids["thread_title"] = f"Springs {MARKS['thread']}"
        spare_lesson = send(teacher, "POST /api/v1/courses/{course_id}/lessons", ids)
        ids["spare_lesson"] = spare_lesson.json()["id"]
        golden = {"question": filled("What is a spare {new}?", {}), "document": "weirs.md"}
        made = teacher.post(f"/api/v1/courses/{ids['course']}/golden-questions", json=golden).json()
        ids["spare_golden"] = made["items"][0]["id"]
        ids["spare_source"] = send(teacher, "POST /api/v1/courses/{id}/sources", ids).json()["id"]
        ids |= _places(server, ids, admin, teacher)
        ids["spare_task"] = new_task(student, "Spare")
        for name in ("spare", "spare_member", "spare_learner", "spare_newcomer"):
            email = filled("spare{new}@famulus.local", {})
            account = {"email": email, "password": PASSWORD, "name": name, "session_mode": "api"}
            tokens = admin.post("/api/auth/signup", json=account).json()
            ids["refresh_token"], ids["spare_email"] = tokens["refresh_token"], email
            if name != "spare":
                vouch(site, email)
                made = admin.post(
                    f"/api/v1/organizations/{ids['organization']}/members", json={"email": email}
                )
                ids[name] = made.json()["user_id"]
        ids["spare_key"] = new_key(student)
        ids["spare_attachment"] = new_attachment(student)
        ids["spare_approval"], ids["spare_hash"] = new_approval(student)
        ids["noted_message"], ids["noted_call"] = new_note(student)
        ids["spare_organization_key"] = new_key(admin, ids["organization"])
        ids["spare_connection"] = new_connection(admin, filled("spare_{new}", {}))
        ids["spare_invitation"] = new_invitation(admin, ids["organization"], filled("{new}@example.org", {}))
        for name in ("look_token", "accept_token"):
            email = filled("{new}@example.org", {})
            new_invitation(admin, ids["organization"], email)
            ids[name] = mailed_token(server.settings, email)
        ids["spare_message"] = ids["message"]
        learner = {"user_id": ids["spare_learner"]}
        assert teacher.post(f"/api/v1/courses/{ids['course']}/enrolments", json=learner).status_code == 201
        email = filled("spare{new}@famulus.local", {})
        admin.post("/api/auth/signup", json={"email": email, "password": PASSWORD, "name": "Spare"})
        ids["spare_email"] = email
        vouch(site, email)
    return {**ids, **_accounts(server)}


def _places(server: Served, ids: dict[str, str], admin: Client, teacher: Client) -> dict[str, str]:
    """Places of every kind that a test may put away."""
    with server.client("site") as site:
        organization = send(site, "POST /api/v1/organizations", ids).json()["id"]
    project = send(admin, "POST /api/v1/projects", ids).json()["id"]
    track = send(teacher, "POST /api/v1/tracks", ids).json()["id"]
    course = send(teacher, "POST /api/v1/courses", ids).json()["id"]
    lesson = send(teacher, "POST /api/v1/courses/{course_id}/lessons", ids).json()["id"]
    return {
        "spare_organization": organization,
        "spare_project": project,
        "spare_track": track,
        "spare_course": course,
        "archived_lesson": lesson,
    }


def _accounts(server: Served) -> dict[str, str]:
    """An account with a session and with links on their way."""
    email = filled("spare{new}@famulus.local", {})
    with server.client("site") as site, server.client() as nobody, server.client("classmate") as classmate:
        account = {"email": email, "password": PASSWORD, "name": "Spare", "session_mode": "api"}
        assert nobody.post("/api/auth/signup", json=account).status_code == 201
        other = {"email": filled("spare{new}@famulus.local", {})}
        assert nobody.post("/api/auth/signup", json={**account, **other}).status_code == 201
        doomed = {"email": filled("doomed{new}@famulus.local", {})}
        assert nobody.post("/api/auth/signup", json={**account, **doomed}).status_code == 201
        assert nobody.post("/api/auth/password/forgot", json=other).status_code == 202
        mail = mailed(site, email, "verify")
        again = {"email": "classmate@famulus.local", "password": PASSWORD, "session_mode": "api"}
        assert nobody.post("/api/auth/login", json=again).status_code == 200
        sessions = classmate.get("/api/auth/sessions").json()["items"]
        return {
            "mail": mail["id"],
            "verify_token": token_of(mail),
            "reset_token": token_of(mailed(site, other["email"], "reset")),
            "spare_account": _account_of(site, email),
            "doomed_account": _account_of(site, doomed["email"]),
            "spare_session": next(each["id"] for each in sessions if not each["current"]),
        }


def _account_of(site: Client, email: str) -> str:
    return str(site.get("/api/v1/accounts", params={"q": email}).json()["items"][0]["id"])
