"""The tools of the platform: each once well, refused to whoever may not, and taken back again."""

import pytest

from famulus.campus.models import Lesson
from famulus.kernel.errors import Forbidden
from famulus.tools.contract import Retry
from tests.support.hands import Hands

Call = tuple[str, str, dict[str, object], str]
IDLE, STUDENT = "idle@famulus.local", "student@famulus.local"
READING: tuple[Call, ...] = (
    ("teacher", "get_me", {}, "You are Teacher, a teacher in “Ours”."),
    ("site", "list_organizations", {}, "There are 2 organizations."),
    ("student", "list_organizations", {"words": "our"}, "There is 1 organization."),
    ("admin", "organization_settings", {}, "“Ours” has 4 members, 1 course and no rules"),
    ("student", "list_projects", {}, "There are 2 projects."),
    ("admin", "list_projects", {"archived": True}, "There is 1 project."),
    ("student", "list_tracks", {"project": "data"}, "There are 2 tracks in “Data Science”."),
    ("student", "list_tracks", {"level": "advanced"}, "There are no tracks."),
    ("student", "list_my_courses", {"role": "learning"}, "There is 1 course of yours."),
    ("teacher", "list_my_courses", {"course": "rob", "organization": "Ours"}, "1 course of yours in “Ours”."),
    ("student", "list_my_courses", {"role": "teaching"}, "There are no courses of yours."),
    ("admin", "list_courses", {"track": "basics"}, "There is 1 course in the track “Basics”."),
    ("student", "list_lessons", {"course": "robots"}, "There is 1 lesson."),
    ("teacher", "list_lessons", {"course": "robots", "published": False}, "There is 1 lesson."),
    ("teacher", "get_analytics", {"course": "Robots"}, "there were 0 questions in “Robots”."),
    ("admin", "get_analytics", {}, "in the organization."),
    ("student", "recent_activity", {}, "Nothing was done yet."),
    ("admin", "recent_activity", {"member": "teacher"}, "Nothing was done yet."),
)
WRITING: tuple[Call, ...] = (
    ("site", "create_organization", {"name": "New"}, "Created the organization “New”."),
    (
        "admin",
        "update_organization",
        {"organization": "Ours", "name": "We"},
        "Renamed the organization “Ours”",
    ),
    ("site", "archive_organization", {"organization": "Theirs"}, "Archived the organization “Theirs”."),
    ("site", "restore_organization", {"organization": "Closed"}, "Restored the organization “Closed”."),
    ("admin", "create_project", {"name": "Art"}, "Created the project “Art”."),
    ("admin", "update_project", {"project": "design", "description": "Forms"}, "“Design”: description."),
    ("admin", "archive_project", {"project": "design"}, "Archived the project “Design”."),
    ("admin", "restore_project", {"project": "old"}, "Restored the project “Old”."),
    (
        "admin",
        "create_track",
        {"project": "data science", "name": "Rust"},
        "Created the track “Rust” in “Data Science”.",
    ),
    (
        "teacher",
        "update_track",
        {"track": "python", "project": "Design", "name": "Py", "level": "advanced"},
        "Changed the track “Py”: name and level.",
    ),
    (
        "admin",
        "update_track",
        {"track": "basics", "move_to_project": "design"},
        "Changed the track “Basics”: project.",
    ),
    ("admin", "archive_track", {"track": "basics"}, "Archived the track “Basics”."),
    ("admin", "restore_track", {"track": "past"}, "Restored the track “Past”."),
    (
        "teacher",
        "create_course",
        {"title": "Logic", "track": "basics"},
        "Created the course “Logic”; it is not",
    ),
    (
        "teacher",
        "update_course",
        {"course": "robots", "published": False},
        "Changed the course “Robots”: published.",
    ),
    (
        "teacher",
        "update_course",
        {"course": "robots", "out_of_track": True},
        "Changed the course “Robots”: track.",
    ),
    ("teacher", "archive_course", {"course": "robots"}, "Archived the course “Robots”."),
    ("admin", "restore_course", {"course": "letters"}, "Restored the course “Letters”."),
    (
        "teacher",
        "create_lesson",
        {"course": "robots", "title": "Über uns!", "body": "# Us\n"},
        "Added the draft “Über uns!” to “Robots”; a person publishes it.",
    ),
    (
        "teacher",
        "update_lesson",
        {"lesson": "nodes", "course": "robots", "body": "\n# Nodes\n\nNew.\n\n"},
        "Changed the lesson “Nodes”: body.",
    ),
    ("teacher", "archive_lesson", {"lesson": "nodes.md", "course": "robots"}, "Archived the lesson “Nodes”."),
    ("teacher", "restore_lesson", {"lesson": "gone", "course": "robots"}, "Restored the lesson “Gone”."),
    (
        "teacher",
        "enrol_students",
        {"course": "robots", "students": [IDLE]},
        "Enrolled 1 student in “Robots”.",
    ),
    (
        "teacher",
        "withdraw_student",
        {"course": "robots", "student": "student"},
        "Student no longer learns in “Robots”.",
    ),
    (
        "teacher",
        "set_course_assistant",
        {"course": "robots", "assistant": "mira"},
        "“Mira” answers in “Robots” from now on.",
    ),
)
ONLY_ONCE: tuple[Call, ...] = (
    ("admin", "switch_role", {"organization": "Ours"}, "You are in “Ours” already."),
    (
        "admin",
        "invite_instructor",
        {"email": "New@Example.org", "courses": ["robots"]},
        "Invited new@example.org to teach “Robots”; the mail has a link",
    ),
)
REFUSED: tuple[tuple[str, str, dict[str, object]], ...] = (
    ("teacher", "get_analytics", {}),
    ("student", "get_analytics", {"course": "robots"}),
    ("teacher", "organization_settings", {}),
    ("teacher", "recent_activity", {"member": "student"}),
    ("admin", "create_organization", {"name": "New"}),
    ("teacher", "update_organization", {"organization": "ours", "name": "We"}),
    ("admin", "archive_organization", {"organization": "ours"}),
    ("admin", "restore_organization", {"organization": "ours"}),
    ("teacher", "create_project", {"name": "Art"}),
    ("teacher", "update_project", {"project": "design", "name": "Art"}),
    ("teacher", "archive_project", {"project": "design"}),
    ("teacher", "restore_project", {"project": "design"}),
    ("student", "create_track", {"project": "design", "name": "Art"}),
    ("student", "update_track", {"track": "basics", "level": "advanced"}),
    ("teacher", "archive_track", {"track": "basics"}),
    ("teacher", "restore_track", {"track": "basics"}),
    ("student", "create_course", {"title": "Logic"}),
    ("student", "update_course", {"course": "robots", "title": "Mine"}),
    ("student", "archive_course", {"course": "robots"}),
    ("student", "restore_course", {"course": "robots"}),
    ("student", "create_lesson", {"course": "robots", "title": "Mine", "body": ""}),
    ("student", "update_lesson", {"course": "robots", "lesson": "nodes", "title": "Mine"}),
    ("student", "archive_lesson", {"course": "robots", "lesson": "nodes"}),
    ("student", "restore_lesson", {"course": "robots", "lesson": "nodes"}),
    ("teacher", "invite_instructor", {"email": "new@example.org"}),
    ("student", "enrol_students", {"course": "robots", "students": [IDLE]}),
    ("student", "withdraw_student", {"course": "robots", "student": "student"}),
    ("student", "set_course_assistant", {"course": "robots", "assistant": None}),
)
OF_OTHERS: tuple[tuple[str, dict[str, object]], ...] = (
    ("update_organization", {"organization": "theirs", "name": "We"}),
    ("switch_role", {"organization": "theirs"}),
    ("list_projects", {"organization": "theirs"}),
    ("update_project", {"project": "Theirs", "name": "Ours"}),
    ("create_track", {"project": "theirs", "name": "Ours"}),
    ("archive_track", {"track": "secret"}),
    ("update_course", {"course": "robots", "track": "secret"}),
    ("get_analytics", {"organization": "theirs"}),
    ("recent_activity", {"member": "stranger"}),
    ("withdraw_student", {"course": "robots", "student": "stranger"}),
)


async def test_it_says_what_it_found(hands: Hands) -> None:
    for who, tool, arguments, said in READING:
        done = await hands.act(who, tool, **arguments)
        assert said in done.said, (who, tool, arguments)


async def test_it_does_what_it_says_and_takes_it_back(hands: Hands) -> None:
    for call in WRITING:
        who, tool, arguments, said = call
        before = await hands.state()
        done = await hands.act(who, tool, **arguments)
        assert said in done.said, call
        assert await hands.state() != before, call
        undone = await hands.undo(who, done)
        assert undone.said, call
        after = await hands.state()
        if tool.startswith(
            "create_"
        ):  # what was made is put away, and who made a course teaches it: not gone
            after = [row for row in after if row in before or not (row.archived or row.kind == "Enrolment")]
        assert after == before, call


async def test_who_may_not_is_refused_and_not_even_asked(hands: Hands) -> None:
    before = await hands.state()
    for who, tool, arguments in REFUSED:
        with pytest.raises(Forbidden):
            await hands.act(who, tool, **arguments)
        if hands.tools[tool].preview is not None:
            with pytest.raises(Forbidden):
                await hands.foresee(who, tool, **arguments)
    assert await hands.state() == before


async def test_what_belongs_to_others_is_not_there(hands: Hands) -> None:
    for tool, arguments in OF_OTHERS:
        with pytest.raises(Retry, match=r"There is no|No (student|member)"):
            await hands.act("admin", tool, **arguments)


async def test_ids_of_others_are_not_there_either(hands: Hands) -> None:
    for tool, arguments in (
        ("archive_course", {"course": hands.world.their_course}),
        ("archive_project", {"project": hands.ids["Theirs"]}),
        ("archive_track", {"track": hands.ids["Theirs/Secret"]}),
        ("update_lesson", {"lesson": hands.world.lesson, "title": "Mine"}),
    ):
        with pytest.raises(Retry, match="There is no"):
            await hands.act("their_admin" if "lesson" in tool else "admin", tool, **arguments)


async def test_every_tool_that_changes_something_has_been_tried(hands: Hands) -> None:
    tried = {call[1] for call in (*READING, *WRITING, *ONLY_ONCE)}
    apart = {"create_task", "list_tasks", "update_task", "delete_task"}
    apart |= {"search_knowledge", "open_passage", "summarise_course"}
    apart |= {"draft_lesson", "draft_quiz", "discard_lesson_draft", "discard_quiz_draft"}
    assert set(hands.tools) - apart - tried == set()


async def test_a_lesson_is_only_ever_a_draft(hands: Hands) -> None:
    done = await hands.act("teacher", "create_lesson", course="robots", title="Über uns!", body="# Us\n")

    async with hands.world.database.read() as session:
        lesson = await session.get_one(Lesson, done.data["id"])  # type: ignore[index]
    assert (lesson.published, lesson.path, lesson.body) == (False, "über-uns.md", "# Us\n")
    for tool, arguments in (
        ("create_lesson", {"course": "robots", "title": "A", "body": "", "published": True}),
        ("update_lesson", {"lesson": "a", "published": True}),
    ):
        with pytest.raises(Retry, match="published"):
            await hands.act("teacher", tool, **arguments)
