"""People: members, enrolments, invitations, rosters, feedback, and what happened."""

from tests.support.academy import PASSWORD
from tests.support.cases import Case

ORGANIZATION = "/api/v1/organizations/{organization_id}"
COURSE = "/api/v1/courses/{course_id}"
ADMIN = "organization_admin"

CASES_PEOPLE: dict[str, Case] = {
    f"GET {ORGANIZATION}/members/{{user_id}}": Case("admin", path={"user_id": "{classmate_id}"}, needs=ADMIN),
    f"GET {ORGANIZATION}/members/{{user_id}}/activity": Case(
        "admin", path={"user_id": "{classmate_id}"}, needs=ADMIN
    ),
    f"GET {ORGANIZATION}/members.csv": Case("admin", needs=ADMIN),
    f"POST {ORGANIZATION}/import": Case(
        "admin",
        query={"dry_run": "true"},
        file=True,
        content=b"email,name,role\nnew@famulus.local,New,student\n",
        needs=ADMIN,
    ),
    f"PATCH {COURSE}/enrolments/{{user_id}}": Case(
        "teacher", path={"user_id": "{classmate_id}"}, body={"role": "student"}, needs="teacher"
    ),
    f"POST {COURSE}/enrolments/bulk": Case(
        "teacher", body={"people": [{"email": "student@famulus.local"}]}, needs="teacher"
    ),
    f"GET {ORGANIZATION}/invitations": Case("admin", needs=ADMIN),
    f"POST {ORGANIZATION}/invitations": Case(
        "admin", 201, body={"email": "{new}@example.org", "role": "student"}, needs=ADMIN
    ),
    f"POST {ORGANIZATION}/invitations/{{invitation_id}}/resend": Case("admin", needs=ADMIN),
    f"DELETE {ORGANIZATION}/invitations/{{invitation_id}}": Case(
        "admin", 204, path={"invitation_id": "{spare_invitation}"}, needs=ADMIN
    ),
    "GET /api/v1/instructors": Case("admin", query={"organization_id": "{organization}"}, needs=ADMIN),
    "POST /api/v1/instructors": Case(
        "admin", 201, body={"email": "{new}@example.org", "organization_id": "{organization}"}, needs=ADMIN
    ),
    "POST /api/auth/invitation/look": Case(None, body={"token": "{look_token}"}),
    "POST /api/auth/invitation/accept": Case(
        None,
        body={"token": "{accept_token}", "name": "New", "password": PASSWORD, "session_mode": "api"},
    ),
    "PUT /api/v1/messages/{message_id}/feedback": Case(body={"rating": "up", "comment": "Clear."}),
    "DELETE /api/v1/messages/{message_id}/feedback": Case(status=204, path={"message_id": "{spare_message}"}),
    f"GET {COURSE}/analytics": Case("teacher", needs="teacher"),
    f"GET {ORGANIZATION}/analytics": Case("admin", needs=ADMIN),
    "GET /api/v1/activity": Case("peer"),
    "GET /api/v1/audit": Case(
        "admin",
        query={"organization_id": "{organization}", "thing_id": "{hidden_course}"},
        needs=ADMIN,
    ),
}
