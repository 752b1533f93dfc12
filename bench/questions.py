"""What `bench/lists` asks: every list of the API, each with its filters, orders and beginnings, as who may ask."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from bench import crowd, crowd_rooms
from bench.crowd import id_of, when

from famulus.kernel.paging import encode_key

SITE, ADMIN, TEACHER, STUDENT, LONE = "site", "admin", "teacher", "student", "lone"
Key = Callable[[float], list[object]]
"""The sort values at a fraction of a list's length."""


@dataclass(frozen=True)
class Question:
    """A list to page through."""

    route: str
    """As the OpenAPI document writes it."""
    what: str
    who: str
    query: dict[str, str]
    key: Key | None = None

    def after(self, fraction: float) -> str | None:
        """The key of the page at a fraction of the list; None for the first page and for a list of one page."""
        if self.key is None or not fraction:
            return None
        values = self.key(fraction)
        return str(values[0]) if self.route == EVENTS else encode_key(values)


def at(count: int, *values: Callable[[int], object]) -> Key:
    """The sort values of the row at a fraction of `count` rows."""
    return lambda fraction: [value(int(count * fraction)) for value in values]


def back(count: int, *values: Callable[[int], object]) -> Key:
    """The same for a list that begins with the last row."""
    return lambda fraction: [value(int(count * (1 - fraction))) for value in values]


def ids(prefix: str) -> Callable[[int], object]:
    """The ids of a kind of thing."""
    return lambda n: id_of(prefix, n)


def named(pattern: str) -> Callable[[int], object]:
    """Names with a number in them."""
    return lambda n: pattern.format(n)


def plain(n: int) -> object:
    return n


ONE = {"organization_id": crowd.ORGANIZATION, "course_id": id_of("crs", 0), "thread_id": id_of("thr", 0)}
ONE |= {"run_id": id_of("run", 0), "assistant_id": id_of("ast", 0), "user_id": id_of("usr", 7)}
IDS = {"/api/v1/sources/{id}/documents": id_of("src", 0), "/api/v1/documents/{id}": id_of("doc", 1)}
EVENTS = "/api/v1/runs/{run_id}/events"
VERSIONS = "/api/v1/assistants/{assistant_id}/versions"
COURSES, MINE, ENROLMENTS = "/api/v1/courses", "/api/v1/courses/my", "/api/v1/courses/{course_id}/enrolments"
MEMBERS, ACCOUNTS, AUDIT = (
    "/api/v1/organizations/{organization_id}/members",
    "/api/v1/accounts",
    "/api/v1/audit",
)
ORGANIZATIONS, PROJECTS, TRACKS = "/api/v1/organizations", "/api/v1/projects", "/api/v1/tracks"
CHATS = "/assistant/chats"
TASKS, LESSONS, THREADS = "/api/v1/tasks", "/api/v1/courses/{course_id}/lessons", "/api/v1/threads"
APPROVALS = "/api/v1/approvals"
QUIZZES = "/api/v1/courses/{course_id}/quizzes"
GOLDEN = "/api/v1/courses/{course_id}/golden-questions"
INVITATIONS = "/api/v1/organizations/{organization_id}/invitations"
INSTRUCTORS, MAILS, ASSISTANTS = "/api/v1/instructors", "/api/v1/mails", "/api/v1/assistants"
AWAY, NONE = {"archived": "true"}, "zzz"


def path_of(route: str) -> str:
    """The address of a route's one thing."""
    return route.replace("{id}", IDS.get(route, "")).format(**ONE)


def questions() -> list[Question]:
    """All of them, route by route."""
    return [*_courses(), *_people(), *_accounts(), *_places(), *_audit(), *_own(), *_rooms()]


def _courses() -> list[Question]:
    count = crowd.COURSES
    title = at(count, named("course {:05d}"), ids("crs"))
    down = back(count, named("course {:05d}"), ids("crs"))
    found: list[Question] = []
    for who in (ADMIN, TEACHER, STUDENT, LONE, SITE):
        found += [
            Question(COURSES, "by title", who, {}, title),
            Question(COURSES, "newest first", who, {"sort": "-created_at"}, back(count, ids("crs"))),
            Question(COURSES, "archived, and none is", who, AWAY, title),
            Question(COURSES, "beginning as most do", who, {"q": "Course"}, title),
            Question(COURSES, "beginning as ten do", who, {"q": "course 0123"}, title),
            Question(COURSES, "beginning as ten do, newest first", who, {"q": "course 0123", "sort": "-created_at"}),
            Question(COURSES, "beginning as none does", who, {"q": NONE}, title),
            Question(COURSES, "of a track", who, {"track_id": id_of("trk", 1), "sort": "position"}),
            Question(COURSES, "unpublished", who, {"published": "false"}, title),
            Question(MINE, "by title", who, {}, title),
        ]  # fmt: skip
    for who in (TEACHER, STUDENT, ADMIN):
        found.append(
            Question(
                COURSES, "learned in, last titles first", who, {"role": "learning", "sort": "-title"}, down
            )
        )
        found.append(
            Question(
                MINE,
                "taught, oldest first",
                who,
                {"role": "teaching", "sort": "created_at"},
                at(count, ids("crs")),
            )
        )
        found.append(Question(MINE, "archived, and none is", who, AWAY, title))
    lessons = at(crowd.LESSONS, plain, ids("les"))
    for who in (ADMIN, TEACHER, STUDENT):
        found += [
            Question(LESSONS, "in order", who, {}, lessons),
            Question(LESSONS, "archived, and none is", who, AWAY),
            Question(LESSONS, "beginning as ten do", who, {"q": "lesson 0012"}),
            Question(LESSONS, "unpublished", who, {"published": "false"}, lessons),
        ]
    quizzes = back(crowd.QUIZZES, ids("quz"))
    golden = at(crowd_rooms.GOLDEN, ids("gld"))
    for who in (ADMIN, TEACHER):
        found += [
            Question(GOLDEN, "oldest first", who, {}, golden),
            Question(GOLDEN, "that got worse", who, {"worse": "true"}),
            Question(QUIZZES, "newest first", who, {}, quizzes),
            Question(QUIZZES, "to be reviewed", who, {"status": "draft"}),
            Question(QUIZZES, "discarded, and none is", who, {"status": "discarded"}),
            Question(QUIZZES, "archived, and none is", who, AWAY),
        ]
    return found


def _people() -> list[Question]:
    found: list[Question] = []
    for route, count, who in (
        (MEMBERS, crowd.PEOPLE, ADMIN),
        (ENROLMENTS, crowd.IN_ONE_COURSE, ADMIN),
        (ENROLMENTS, crowd.IN_ONE_COURSE, TEACHER),
    ):
        name = at(count, named("person {:05d}"), ids("usr"))
        down = back(count, named("person {:05d}"), ids("usr"))
        newest = {"sort": "-created_at"}
        late = back(count, when, ids("usr"))
        found += [
            Question(route, "by name", who, {}, name),
            Question(route, "by name, downwards", who, {"sort": "-name"}, down),
            Question(route, "newest first", who, newest, late),
            Question(route, "students, newest first", who, {"role": "student", **newest}, late),
            Question(route, "teachers", who, {"role": "teacher"}, name),
            Question(route, "teachers, newest first", who, {"role": "teacher", **newest}, late),
            Question(route, "whose name begins as all do", who, {"q": "person"}, name),
            Question(route, "whose name or address begins as all do", who, {"q": "p"}, name),
            Question(route, "the same, newest first", who, {"q": "p", **newest}, late),
            Question(route, "whose name begins as a fifth does", who, {"q": "Person 1"}, name),
            Question(route, "the same, newest first", who, {"q": "Person 1", **newest}, late),
            Question(route, "whose name begins as ten do", who, {"q": "person 1234"}, name),
            Question(route, "whose address begins as a fifth does", who, {"q": "p1"}, name),
            Question(route, "the same, newest first", who, {"q": "p1", **newest}, late),
            Question(route, "whose address begins as a fiftieth does", who, {"q": "p12"}, name),
            Question(route, "whose address is one", who, {"q": "p123@bench.example"}, name),
            Question(route, "teachers whose address begins as a fifth does", who, {"q": "p1", "role": "teacher"}, name),
            Question(route, "beginning as none does", who, {"q": NONE}, name),
        ]  # fmt: skip
    found += [
        Question(INSTRUCTORS, "by name", ADMIN, {}, at(crowd.ACTORS, named("person {:05d}"), ids("usr"))),
        Question(INSTRUCTORS, "whose address begins as a fifth does", ADMIN, {"q": "p1"}),
        Question(INSTRUCTORS, "of any organization", SITE, {"organization_id": crowd.ORGANIZATION}),
    ]
    return found


def _accounts() -> list[Question]:
    count = crowd.PEOPLE
    name = at(count, named("person {:05d}"), ids("usr"))
    mail = at(count, lambda n: crowd.email(n))
    newest, late = {"sort": "-created_at"}, back(count, ids("usr"))
    return [
        Question(ACCOUNTS, "by name", SITE, {}, name),
        Question(ACCOUNTS, "by address", SITE, {"sort": "email"}, mail),
        Question(ACCOUNTS, "newest first", SITE, newest, late),
        Question(ACCOUNTS, "suspended", SITE, {"suspended": "true"}, name),
        Question(ACCOUNTS, "suspended, by address", SITE, {"suspended": "true", "sort": "email"}, mail),
        Question(ACCOUNTS, "suspended, newest first", SITE, {"suspended": "true", **newest}, late),
        *[
            Question(ACCOUNTS, f"{what}{then}", SITE, {"q": q, **sort}, key)
            for q, what in (
                ("p", "beginning as all do"),
                ("p1", "whose address begins as a fifth does"),
                ("Person 1", "whose name begins as a fifth does"),
                ("person 1234", "whose name begins as ten do"),
                ("p123@bench.example", "whose address is one"),
                (NONE, "beginning as none does"),
            )
            for then, sort, key in (
                ("", {}, name),
                (", by address", {"sort": "email"}, mail),
                (", newest first", newest, late),
            )
        ],
        Question(MAILS, "newest first", SITE, {}, back(crowd_rooms.MAILS, ids("mai"))),
        Question(MAILS, "not sent", SITE, {"state": "failed"}, back(crowd_rooms.MAILS, ids("mai"))),
        Question(MAILS, "waiting, and none is", SITE, {"state": "waiting"}),
    ]  # fmt: skip


def _places() -> list[Question]:
    found: list[Question] = []
    for who in (ADMIN, TEACHER, STUDENT, SITE):
        for route, pattern, prefix, count in (
            (ORGANIZATIONS, "school {:04d}", "org", crowd.ORGANIZATIONS),
            (PROJECTS, "project {:03d}", "prj", crowd.PROJECTS),
            (TRACKS, "track {:04d}", "trk", crowd.TRACKS),
        ):
            name = at(count, named(pattern), ids(prefix))
            found += [
                Question(route, "by name", who, {}, name),
                Question(route, "newest first", who, {"sort": "-created_at"}, back(count, ids(prefix))),
                Question(route, "archived, and none is", who, AWAY, name),
                Question(route, "beginning as ten do", who, {"q": pattern[:-6] + " 01"}, name),
                Question(route, "beginning as none does", who, {"q": NONE}),
            ]
        found.append(Question(TRACKS, "of a project", who, {"project_id": id_of("prj", 1)}))
        found.append(Question(TRACKS, "for beginners", who, {"level": "beginner"}, name))
    keys = back(2 * crowd_rooms.KEYS, ids("key"))
    found.append(
        Question("/api/v1/organizations/{organization_id}/api-keys", "newest first", ADMIN, {}, keys)
    )
    found.append(Question("/api/v1/connections", "oldest first, and none is", ADMIN, {}))
    found.append(Question("/api/v1/connections", "of all, and none is", SITE, {}))
    invited = back(crowd.INVITATIONS, ids("inv"))
    for state in ("open", "accepted", "withdrawn", "expired"):
        found.append(Question(INVITATIONS, state, ADMIN, {"state": state}, invited))
    return [*found, Question(INVITATIONS, "newest first", ADMIN, {}, invited)]


def _audit() -> list[Question]:
    entries = back(crowd.AUDIT, ids("aud"))
    day = {"from": "2026-01-05T00:00:00Z", "to": "2026-01-06T00:00:00Z"}
    found: list[Question] = []
    for who, place in ((ADMIN, {}), (SITE, {}), (SITE, {"organization_id": id_of("org", 1)})):
        where = ", of another organization" if place else ""
        found += [
            Question(AUDIT, f"{what}{where}", who, {**query, **place}, entries)
            for what, query in (
                ("newest first", {}),
                ("of one kind", {"action": "lesson.create"}),
                ("of kinds", {"action": "lesson."}),
                ("of a kind that there is not", {"action": "zoo."}),
                ("of one person", {"actor_id": id_of("usr", 7)}),
                ("of nobody", {"actor_id": id_of("usr", 40_000)}),
                ("of one course", {"thing_id": id_of("crs", 7)}),
                ("of a day", day),
                ("of a day and kinds", {**day, "action": "lesson."}),
            )
        ]
    member = "/api/v1/organizations/{organization_id}/members/{user_id}/activity"
    moments = back(crowd.AUDIT, lambda n: id_of("", n)[1:])
    found.append(Question(member, "of a teacher", ADMIN, {}, moments))
    found.append(Question("/api/v1/activity", "one's own", STUDENT, {}, moments))
    return found


def _own() -> list[Question]:
    due = at(crowd.TASKS, lambda n: crowd.due(n | 1), lambda n: id_of("tsk", n | 1))
    latest = back(crowd.TASKS, lambda n: crowd.due(n | 1), lambda n: id_of("tsk", n | 1))
    soon = datetime(2026, 1, 2, tzinfo=UTC).isoformat().replace("+00:00", "Z")
    newest = {"sort": "-created_at"}
    made = back(crowd.TASKS, ids("tsk"))
    threads = back(crowd_rooms.THREADS, when, ids("thr"))
    return [
        Question(TASKS, "by due date", STUDENT, {}, due),
        Question(TASKS, "by due date, downwards", STUDENT, {"sort": "-due_at"}, latest),
        Question(TASKS, "newest first", STUDENT, newest, made),
        Question(TASKS, "done", STUDENT, {"done": "true"}, due),
        Question(TASKS, "to be done, newest first", STUDENT, {"done": "false", **newest}, made),
        Question(TASKS, "due soon, newest first", STUDENT, {"due_before": soon, **newest}, made),
        Question(TASKS, "due soon", STUDENT, {"due_before": soon}, due),
        Question(TASKS, "due after", STUDENT, {"due_after": soon}, due),
        Question(TASKS, "with a word", STUDENT, {"q": "0123"}, due),
        Question(TASKS, "with a word that none has", STUDENT, {"q": NONE}),
        Question(TASKS, "archived, and none is", STUDENT, AWAY, due),
        Question(THREADS, "newest first", STUDENT, {}, threads),
        Question(THREADS, "in one course", STUDENT, {"course_id": id_of("crs", 1)}, threads),
        Question(THREADS, "archived, and none is", STUDENT, AWAY),
        Question(CHATS, "newest first", STUDENT, {}, threads),
        Question(APPROVALS, "newest first", STUDENT, {}, back(crowd_rooms.THREADS, ids("apr"))),
        Question(APPROVALS, "that wait, and none does", STUDENT, {"pending": "true"}),
        Question(APPROVALS, "that wait for a role, and none does", ADMIN, {"pending": "true"}),
        Question(THREADS, "in a course without one", STUDENT, {"course_id": id_of("crs", 200)}),
        Question("/api/v1/api-keys", "newest first", STUDENT, {}, back(2 * crowd_rooms.KEYS, ids("key"))),
        Question("/api/auth/sessions", "newest first", STUDENT, {}, back(crowd_rooms.SESSIONS, ids("ses"))),
    ]  # fmt: skip


def _rooms() -> list[Question]:
    messages = at(crowd_rooms.MESSAGES, plain)
    found = [
        Question("/api/v1/threads/{thread_id}/messages", "in order", STUDENT, {}, messages),
        Question("/api/v1/threads/{thread_id}/messages", "newest first", STUDENT, {"order": "desc"}, messages),
        Question(f"{CHATS}/{{thread_id}}/messages", "in order", STUDENT, {}, messages),
        Question("/courses/my", "by title", STUDENT, {}),
        Question("/assistants", "by id", STUDENT, {}, at(crowd.COURSES, ids("ast"))),
        Question(EVENTS, "in order (200)", STUDENT, {}, at(crowd_rooms.EVENTS, lambda n: f"1.{n}")),
        Question(VERSIONS, "newest first", ADMIN, {}, back(crowd_rooms.VERSIONS, plain)),
    ]  # fmt: skip
    named_passages = at(crowd_rooms.CHUNKS, lambda n: n >= crowd_rooms.CHUNKS // 10, lambda n: n + 1)
    documents = at(crowd_rooms.DOCUMENTS, named("{:05d}.md"), ids("doc"))
    sources, assistants = at(crowd.COURSES, ids("src")), at(crowd.COURSES, ids("ast"))
    for who in (ADMIN, TEACHER, STUDENT, LONE, SITE):
        found += [
            Question("/api/v1/sources", "oldest first", who, {}, sources),
            Question(ASSISTANTS, "by id", who, {}, assistants),
            Question(ASSISTANTS, "for the site, and none is", who, {"scope": "global"}),
            Question(ASSISTANTS, "switched off, and none is", who, {"active": "false"}, assistants),
            Question(
                ASSISTANTS, "of an organization", who, {"organization_id": crowd.ORGANIZATION}, assistants
            ),
        ]
    for who in (ADMIN, TEACHER, STUDENT):
        found += [
            Question("/api/v1/sources", "of a course", who, {"course_id": id_of("crs", 0)}),
            Question("/api/v1/sources/{id}/documents", "by path", who, {}, documents),
            Question(
                "/api/v1/graph", "by a name that every passage has", who, {"entity": "Water"}, named_passages
            ),
            Question("/api/v1/documents/{id}", "in order", who, {}, at(crowd_rooms.CHUNKS, plain)),
            Question(ASSISTANTS, "of a course", who, {"course_id": id_of("crs", 0)}),
        ]
    return found
