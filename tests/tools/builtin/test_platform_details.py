"""The tools of the platform in their details: names, lists, previews, people, and where somebody is."""

from dataclasses import replace

import pytest
from sqlalchemy import select, text

from famulus.campus import courses, lessons
from famulus.campus.memberships import add_member
from famulus.campus.models import Invitation, MemberRole
from famulus.campus.projects import create_project
from famulus.campus.schemas.courses import LessonChange, NewCourse
from famulus.campus.schemas.people import NewMember
from famulus.campus.schemas.places import NewProject
from famulus.kernel.errors import Forbidden
from famulus.tools.contract import Difference, Retry, ToolContext, ToolFailed
from tests.support.counting import counting
from tests.support.hands import Hands
from tests.support.rooms import SITE, sign_in

# --- Names -------------------------------------------------------------------------------------------


async def test_a_name_of_several_things_is_asked_about(hands: Hands) -> None:
    with pytest.raises(Retry) as caught:
        await hands.act("teacher", "update_track", track="python", level="advanced")

    for project in ("Data Science", "Design"):
        assert f"Python in {project} ({hands.ids[f'{project}/Python']})" in str(caught.value)
    assert "Ask the person" in str(caught.value)
    with pytest.raises(Retry, match=rf"Robots in Ours \({hands.world.course}\); Robots in Theirs"):
        await hands.act("site", "archive_course", course="robots")


async def test_a_project_or_an_id_tells_tracks_apart(hands: Hands) -> None:
    wanted = hands.ids["Design/Python"]

    by_project = await hands.act(
        "teacher", "update_track", track="python", project="design", level="advanced"
    )
    by_id = await hands.act("teacher", "update_track", track=wanted, level="beginner")

    assert by_project.data == by_id.data == {"id": wanted, "name": "Python"}


async def test_what_is_not_there_is_asked_about(hands: Hands) -> None:
    for tool, arguments in (
        ("create_track", {"project": "nothing", "name": "A"}),
        ("update_course", {"course": "nothing", "title": "A"}),
        ("archive_lesson", {"course": "robots", "lesson": "nothing"}),
        ("set_course_assistant", {"course": "robots", "assistant": "nobody"}),
        ("withdraw_student", {"course": "robots", "student": "nobody"}),
        ("withdraw_student", {"course": "robots", "student": "teacher@famulus.local"}),
        ("withdraw_student", {"course": "robots", "student": hands.world["teacher"].id}),
    ):
        with pytest.raises(Retry, match=r"(There is no|No student).*Ask"):
            await hands.act("teacher", tool, **arguments)


async def test_a_place_is_never_guessed(hands: Hands) -> None:
    with pytest.raises(Retry, match="project"):
        await hands.act("admin", "create_track", name="Rust")
    with pytest.raises(Retry, match="Say in which organization"):
        await hands.act("site", "create_project", name="Art")
    with pytest.raises(Retry, match="Say in which course"):
        await hands.act("teacher", "archive_lesson", lesson="nodes")
    with pytest.raises(Retry, match="Say what is to be different: `name`, `description`"):
        await hands.act("admin", "update_project", project="design", name=None)


async def test_the_course_of_the_conversation_is_where_lessons_are(hands: Hands) -> None:
    done = await hands.act(
        "teacher", "update_lesson", course_id=hands.world.course, lesson="nodes", title="Nodes 2"
    )

    assert done.said == "Renamed the lesson “Nodes” to “Nodes 2”."


async def test_the_archive_goes_first_where_something_is_restored(hands: Hands) -> None:
    await hands.act("admin", "archive_track", track="python", project="design")

    done = await hands.act("admin", "restore_track", track="python")

    assert done.data == {"id": hands.ids["Design/Python"], "name": "Python"}


# --- Lists -------------------------------------------------------------------------------------------


async def test_a_list_is_bounded_and_says_that_there_is_more(hands: Hands) -> None:
    async with hands.world.database.write() as session:
        for number in range(51):
            new = NewProject(name=f"P {number}", description="x" * 5_000, organization_id=hands.world.ours)
            await create_project(session, SITE, new)

    done = await hands.act("student", "list_projects")

    assert isinstance(done.data, list)
    assert len(done.data) == 50
    assert "first 50 projects; there are more" in done.said
    assert len(str(done.data)) < 25_000
    assert "more" not in (await hands.act("student", "list_projects", words="data")).said


async def test_courses_of_elsewhere_take_a_switch(hands: Hands) -> None:
    await join_theirs(hands, "student")

    with pytest.raises(ToolFailed, match="switch_role"):
        await hands.act("student", "list_my_courses", organization="theirs")


# --- Changes that change nothing, and what cannot be taken back --------------------------------------


async def test_what_is_so_already_is_said_and_not_taken_back(hands: Hands) -> None:
    for tool, arguments in (
        ("update_project", {"project": "design", "name": "Design"}),
        ("restore_project", {"project": "design"}),
        ("archive_project", {"project": hands.ids["Old"]}),
        ("set_course_assistant", {"course": "robots", "assistant": None}),
        ("enrol_students", {"course": "robots", "students": ["student@famulus.local"]}),
    ):
        before = await hands.state()
        done = await hands.act("admin", tool, **arguments)
        assert done.undo is None, tool
        assert await hands.state() == before


async def test_who_cannot_put_away_what_they_made_is_offered_no_undo(hands: Hands) -> None:
    made = await hands.act("teacher", "create_track", project="design", name="Lines")

    assert made.undo is None


async def test_a_text_too_long_for_a_call_is_not_taken_back(hands: Hands) -> None:
    for length, taken_back in ((18_000, True), (18_001, False)):
        async with hands.world.database.write() as session:
            change = LessonChange(body="b" * length)
            await lessons.change_lesson(session, SITE, hands.world.lesson, change)
        done = await hands.act("teacher", "update_lesson", lesson=hands.world.lesson, body="Short.")
        assert (done.undo is not None) == taken_back


# --- Previews ----------------------------------------------------------------------------------------


async def test_previews_bind_names_and_count(hands: Hands) -> None:
    ids, world = hands.ids, hands.world
    for who, tool, arguments, bound, notes in (
        (
            "admin",
            "archive_project",
            {"project": "data"},
            {"project": ids["Data Science"]},
            "It has 2 tracks with 1 course.",
        ),
        (
            "admin",
            "archive_track",
            {"track": "basics"},
            {"track": ids["Data Science/Basics"]},
            "It has 1 course.",
        ),
        (
            "teacher",
            "archive_course",
            {"course": "robots"},
            {"course": world.course},
            "It has 2 lessons and 1 student.",
        ),
        (
            "site",
            "archive_organization",
            {"organization": "ours"},
            {"organization": world.ours},
            "It has 2 projects, 3 tracks, 1 course and 4 members.",
        ),
        (
            "teacher",
            "archive_lesson",
            {"course": "robots", "lesson": "nodes"},
            {"lesson": world.lesson},
            "Students no longer read it; assistants no longer answer from it.",
        ),
        (
            "teacher",
            "withdraw_student",
            {"course": "robots", "student": "student"},
            {"course": world.course, "student": world["student"].id},
            "They no longer find the course. They can be enrolled again.",
        ),
    ):
        preview = await hands.foresee(who, tool, **arguments)
        assert preview.arguments == bound, tool
        assert preview.notes[0] == notes, tool
        assert (await hands.act(who, tool, **preview.arguments)).undo is not None, tool
        if "archive" in tool:
            await hands.act("site", tool.replace("archive", "restore"), **bound)


async def test_previews_of_changes_show_before_and_after_by_name(hands: Hands) -> None:
    moved = await hands.foresee(
        "admin", "update_track", track="basics", move_to_project="design", name="Basics"
    )
    out = await hands.foresee("teacher", "update_course", course="robots", out_of_track=True, published=False)

    assert moved.changes == (Difference("project", "Data Science", "Design"),)
    assert moved.arguments == {
        "track": hands.ids["Data Science/Basics"],
        "move_to_project": hands.ids["Design"],
        "name": "Basics",
    }
    assert set(out.arguments) == {"course", "out_of_track", "published"}
    assert {(each.field, each.before, each.after) for each in out.changes} == {
        ("track", "Basics", None),
        ("published", True, False),
    }
    for tool, preview in (("update_track", moved), ("update_course", out)):
        assert (await hands.act("admin", tool, **preview.arguments)).undo is not None


async def test_what_is_foreseen_can_be_done_as_it_was_shown(hands: Hands) -> None:
    for tool, arguments in (
        ("create_project", {"name": "Art"}),
        ("create_track", {"project": "design", "name": "Art"}),
        ("create_course", {"title": "Art", "track": "python", "project": "design"}),
        ("create_lesson", {"course": "robots", "title": "Art", "body": "# Art"}),
        ("invite_instructor", {"email": "new@example.org", "courses": ["robots"]}),
        ("enrol_students", {"course": "robots", "students": ["idle@famulus.local"]}),
        ("set_course_assistant", {"course": "robots", "assistant": "mira"}),
        ("restore_course", {"course": "letters"}),
    ):
        preview = await hands.foresee("admin", tool, **arguments)
        assert preview.title, tool
        shown = set(map(str, preview.arguments.values()))
        assert not {"robots", "design", "python", "letters", "mira", "['robots']"} & shown, tool
        assert (await hands.act("admin", tool, **preview.arguments)).said, tool


async def test_a_preview_takes_as_many_statements_however_much_there_is(hands: Hands) -> None:
    counted: list[int] = []
    for number in range(2):
        with counting(hands.world.database) as count:
            preview = await hands.foresee("admin", "archive_project", project=hands.ids["Data Science"])
        counted.append(count.statements)
        assert preview.notes[0] == f"It has 2 tracks with {'21 courses' if number else '1 course'}."
        async with hands.world.database.write() as session:
            for each in range(20):
                new = NewCourse(title=f"C {number} {each}", track_id=hands.ids["Data Science/Basics"])
                await courses.create_course(session, SITE, new)

    assert counted[0] == counted[1]


# --- People ------------------------------------------------------------------------------------------


async def test_students_are_enrolled_and_each_is_told_of(hands: Hands) -> None:
    people = ["idle@famulus.local", "student@famulus.local", "nobody@example.org", "not an address"]

    done = await hands.act("teacher", "enrol_students", course="robots", students=people)

    assert done.said.startswith(
        "Enrolled 1 student in “Robots”, found 1 in it already and could not enrol nobody@"
    )
    assert "and not an address (" in done.said
    assert isinstance(done.data, dict)
    assert (done.data["enrolled"], done.data["already"]) == (people[:1], people[1:2])
    assert [each["who"] for each in done.data["not_enrolled"]] == people[2:]
    assert done.undo is not None
    assert done.undo.arguments == {"course": hands.world.course, "student": "idle@famulus.local"}


async def test_what_is_not_there_is_told_with_what_the_person_sees(hands: Hands) -> None:
    listed = (await hands.act("admin", "list_projects")).data
    assert isinstance(listed, list)
    seen = {row["name"] for row in listed}
    with pytest.raises(Retry) as raised:
        await hands.act("admin", "list_tracks", project="Astrology")
    word = raised.value

    assert word.said.startswith("There is no project 'Astrology' here. There ")
    assert "Data Science" in word.said
    assert word.lack is not None
    assert {name for _, name in word.lack.choices} <= seen
    assert "Ask the person" not in word.said
    assert "Ask the person" in str(word)


async def test_two_new_students_are_not_withdrawn_by_one_button(hands: Hands) -> None:
    await join(hands, "extra")

    done = await hands.act(
        "teacher", "enrol_students", course="robots", students=["idle@famulus.local", "extra@famulus.local"]
    )

    assert done.said == "Enrolled 2 students in “Robots”."
    assert done.undo is None
    with pytest.raises(Retry, match="at most 100"):
        await hands.act("teacher", "enrol_students", course="robots", students=["a@example.org"] * 101)


async def test_an_instructor_is_invited_to_courses(hands: Hands) -> None:
    await hands.act("admin", "invite_instructor", email="new@example.org", name="New", courses=["robots"])

    async with hands.world.database.read() as session:
        invitation = (await session.scalars(select(Invitation))).one()
    assert (invitation.role, invitation.course_ids) == ("teacher", [hands.world.course])


# --- Where somebody is -------------------------------------------------------------------------------


async def test_a_switch_is_a_fact_of_the_session(hands: Hands) -> None:
    await join_theirs(hands, "student")

    me = await hands.act("student", "get_me")
    preview = await hands.foresee("student", "switch_role", organization="theirs")
    done = await hands.act("student", "switch_role", **preview.arguments)

    assert me.next == ("List my courses", "Switch to “Theirs”")
    assert preview.changes == (Difference("organization", "Ours", "Theirs"),)
    assert done.said == "You are now a teacher in “Theirs”, from your next question on."
    assert done.undo is not None
    assert done.undo.arguments == {"organization": hands.world.ours}
    async with hands.world.database.read() as session:
        query = text("SELECT organization_id FROM sessions WHERE id = :id")
        there = await session.scalar(query, {"id": hands.sessions["student"]})
    assert there == hands.world.theirs


async def test_without_a_session_nothing_is_switched(hands: Hands) -> None:
    for way in (hands.act, hands.foresee):
        with pytest.raises(ToolFailed, match="no session"):
            await way("teacher", "switch_role", organization="ours")


async def test_a_key_that_may_only_read_changes_nothing(hands: Hands) -> None:
    principal = replace(await hands.who("admin"), scopes=frozenset({"read"}))
    tool = hands.tools["archive_project"]
    given = tool.parameters.model_validate({"project": "design"})  # type: ignore[union-attr]

    async with hands.world.database.write() as session:
        with pytest.raises(Forbidden):
            await tool.act(ToolContext(principal, "thr_1", None, transaction=session), given)


async def join(hands: Hands, name: str) -> None:
    """One more member of ours."""
    await sign_in(hands.world.database, hands.world.client, name)
    await _add(hands, hands.world.ours, name, "student")


async def join_theirs(hands: Hands, name: str) -> None:
    """Have somebody of ours teach at theirs, too."""
    await _add(hands, hands.world.theirs, name, "teacher")


async def _add(hands: Hands, organization_id: str, name: str, role: MemberRole) -> None:
    async with hands.world.database.write() as session:
        new = NewMember(email=f"{name}@famulus.local", role=role)
        await add_member(session, SITE, organization_id, new)
