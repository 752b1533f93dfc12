"""Who tries what in the tests of rights: askers with a world of their own, victims, and what stands in their rows."""

from sqlalchemy import text

from famulus.kernel.database import Database
from tests.support.academy import (
    MARKS,
    answer_of,
    new_approval,
    new_attachment,
    new_key,
    new_note,
    new_task,
    new_thread,
)
from tests.support.operations import with_people
from tests.support.rights import Asker
from tests.support.serving import Served, wait_for

PLACES = ("organization", "project", "track")

OWN = ("thread", "run", "message", "task", "session", "mail", "approval", "attachment")
"""What is the student's alone, whoever asks."""
GIVEN = {"golden_questions": "id, course_id, question, document, passage"}
"""What people have given, of tables whose other columns the server itself fills in by and by."""


def askers(world: Served) -> list[Asker]:
    """The victims are the student and the teacher of Rivers; each asker has a world of their own to ask from."""
    ids = with_people(world.academy)

    def some(*names: str) -> dict[str, str]:
        return {name: ids[name] for name in names}

    course = ("course", "lesson", "assistant", "source", "document", "passage")
    drafts = ("hidden_course", "draft", "quiz", "golden", "draft_document", "draft_passage")
    talk = (
        "thread", "run", "message", "teacher_thread", "teacher_run", "teacher_message", "task", "teacher_task",
        "session", "mail", "approval", "teacher_approval",
        "attachment",
    )  # fmt: skip
    keys = ("key", "organization_key", "connection")
    people = {f"{name}_user": world.academy.people[name].id for name in ("student", "teacher")}
    theirs = some(
        "their_organization",
        "their_course",
        "their_lesson",
        "their_quiz",
        "their_golden",
        "their_assistant",
        "their_source",
        "their_thread",
        "their_run",
        "their_message",
        "their_invitation",
        "their_document",
        "their_passage",
        "their_project",
        "their_track",
        "their_key",
        "their_approval",
        "their_connection",
    )
    emails = {f"{name}_email": world.academy.people[name].email for name in ("student", "teacher")}
    ours = {**some(*PLACES, "invitation", *course, *drafts, *talk, *keys), **people, **emails}
    strangers = {
        "their_student_user": world.academy.people["their_student"].id,
        "their_student_email": world.academy.people["their_student"].email,
    }
    theirs_unseen = {name: id for name, id in theirs.items() if name != "their_invitation"}
    unseen = {
        **some(
            *drafts,
            "teacher_thread",
            "teacher_run",
            "teacher_message",
            "teacher_task",
            "teacher_approval",
            "organization_key",
            "connection",
        ),
        **theirs_unseen,
        **strangers,
    }
    return [
        Asker(None, own(world, "student"), hidden=ours, marks=frozenset(MARKS.values())),
        Asker(
            "student",
            own(world, "student"),
            sees=some(*PLACES, *course),
            hidden=unseen,
            marks=marks(
                "draft",
                "quiz",
                "hidden",
                "instructions",
                "their_places",
                "teacher_thread",
                "teacher_message",
                "their_lesson",
                "their_instructions",
            ),
        ),
        Asker(
            "classmate",
            own(world, "classmate"),
            sees=some(*PLACES, *course),
            hidden={**some(*OWN, *drafts, *keys), **theirs_unseen, **strangers},
            marks=marks(
                "draft",
                "quiz",
                "hidden",
                "instructions",
                "task",
                "their_places",
                "thread",
                "message",
                "teacher_thread",
                "teacher_message",
                "their_lesson",
                "their_instructions",
            ),
        ),
        Asker(
            "peer",
            own(world, "peer"),
            sees=some(*PLACES),
            hidden={**some(*course, *drafts, *OWN, *keys), **theirs_unseen, **strangers},
            marks=frozenset(MARKS.values()) - marks("places"),
        ),
        Asker(
            "their_admin",
            own(world, "their_admin"),
            hidden=ours,
            marks=marks(*(name for name in MARKS if not name.startswith("their_"))),
        ),
        # Whoever teaches a course sees its drafts, and still nobody's conversations.
        Asker(
            "teacher",
            own(world, "teacher"),
            hidden={**some("hidden_course", *OWN, *keys), **theirs_unseen, **strangers},
            marks=marks(
                "hidden", "thread", "message", "task", "their_lesson", "their_instructions", "their_places"
            ),
        ),
        Asker(
            "admin",
            own(world, "admin"),
            hidden={**some(*talk, "key"), **theirs, **strangers},
            marks=marks(
                "task",
                "their_places",
                "thread",
                "message",
                "teacher_thread",
                "teacher_message",
                "their_lesson",
                "their_instructions",
            ),
        ),
        # Teaches as well, in the same organization, but not this course.
        Asker(
            "colleague",
            own(world, "colleague"),
            sees=some("organization", "project"),
            hidden={**some(*course, *drafts, *talk, *keys), **theirs_unseen, **strangers},
            marks=frozenset(MARKS.values()) - marks("places"),
        ),
        # Sees every place and everybody's account, and still nobody's conversations, tasks, sessions and keys.
        Asker(
            "site",
            own(world, "site"),
            hidden=some(*(name for name in talk if name != "mail"), "their_thread", "their_run", "key"),
            marks=marks("task", "thread", "message", "teacher_thread", "teacher_message"),
        ),
    ]


def marks(*names: str) -> frozenset[str]:
    return frozenset(MARKS[name] for name in names)


def own(world: Served, who: str) -> dict[str, str]:
    """Ids for every name in the table of cases, all of the asker's own world, so that one foreign id stands alone."""
    ids = dict(world.academy.ids)
    prefix = {"their_admin": "their_", "colleague": "other_"}.get(who, "")
    found = {
        name: ids.get(prefix + name, ids[name])
        for name in (
            *PLACES,
            "course",
            "lesson",
            "quiz",
            "assistant",
            "source",
            "git_source",
            "document",
            "passage",
            "invitation",
            "connection",
            "golden",
        )
    }
    with world.client(who) as client:
        thread = new_thread(client)
        run = client.post(f"/api/v1/threads/{thread}/runs", json={"message": "Hello."}).json()["run"]["id"]
        assert "run.completed" in client.get(f"/api/v1/runs/{run}/events").text
        found |= {
            "thread": thread,
            "free_thread": new_thread(client),
            "spare_thread": new_thread(client),
            "spare_chat": new_thread(client),
            "run": run,
            "task": new_task(client, "Mine"),
            "spare_task": new_task(client, "Spare"),
            "key": new_key(client),
            "message": answer_of(client, run),
        }
        found["approval"], found["spare_hash"] = new_approval(client)
        found["spare_approval"] = found["approval"]
        found["attachment"], found["spare_attachment"] = new_attachment(client), new_attachment(client)
        found["noted_message"], found["noted_call"] = new_note(client)
    nobody = "usr_00000000000000000000000000"
    spare = dict.fromkeys(("spare_member", "spare_learner", "spare_newcomer", "classmate_id"), nobody)
    spare |= {"spare_message": found["message"], "spare_invitation": found["invitation"]}
    fixed = {
        "verify_token": "none",
        "reset_token": "none",
        "spare_account": nobody,
        "doomed_account": nobody,
        "spare_session": "ses_none",
        "session": "ses_none",
        "mail": "mai_none",
        "thread_title": "Mine",
        "bare_course": found["course"],
        "spare_lesson": found["lesson"],
        "archived_lesson": found["lesson"],
        "spare_quiz": found["quiz"],
        "spare_source": found["source"],
        "spare_golden": found["golden"],
        **{f"spare_{name}": found[name] for name in (*PLACES, "course")},
        "spare_key": found["key"],
        "spare_organization_key": "key_00000000000000000000000000",
        "spare_connection": found["connection"],
        "spare_email": "nobody@famulus.local",
        "refresh_token": "fmr_none.none",
        "look_token": "fmi_none",
        "accept_token": "fmi_none",
        "hidden_course": nobody,
    }
    return {**found, **spare, **fixed}


def victims(world: Served) -> dict[str, set[str]]:
    """Every row that names something of ours, as text, by table: what nobody's attempt may change."""
    names = [*world.academy.ids.values(), *(person.id for person in world.academy.people.values())]
    ids = {each for key, each in world.academy.ids.items() if not key.startswith("their_")} & set(names)
    others = {each for key, each in world.academy.ids.items() if key.startswith("other_")}
    """A colleague's own, which they may well change."""

    async def read() -> dict[str, set[str]]:
        database = Database(world.settings.database)
        try:
            async with database.engine.connect() as connection:
                found: dict[str, set[str]] = {}
                for name in (
                    "api_keys",
                    "connections",
                    "organizations",
                    "projects",
                    "tracks",
                    "tasks",
                    "memberships",
                    "courses",
                    "lessons",
                    "quizzes",
                    "enrolments",
                    "assistants",
                    "assistant_versions",
                    "threads",
                    "messages",
                    "feedback",
                    "invitations",
                    "runs",
                    "run_events",
                    "sources",
                    "golden_questions",
                    "documents",
                    "chunks",
                ):
                    columns = GIVEN.get(name, "*")
                    rows = (await connection.execute(text(f'SELECT {columns} FROM "{name}"'))).all()
                    ours = [row for row in rows if ids & (cells := set(map(str, row))) and not others & cells]
                    found[name] = {repr(tuple(row)) for row in ours}
                return found
        finally:
            await database.close()

    return wait_for(read())
