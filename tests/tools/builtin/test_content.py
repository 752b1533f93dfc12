"""Tools for content: they find and open what their asker may see, and draft what only a person publishes."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from famulus.campus import lessons, quizzes
from famulus.campus.courses import create_course
from famulus.campus.schemas.courses import LessonChange, LessonFilters, NewCourse, NewLesson
from famulus.campus.schemas.quizzes import QuizChange, QuizFilters, QuizOut
from famulus.doors.rest import CAMPUS
from famulus.kernel.database import Database
from famulus.kernel.errors import Forbidden, NotFound
from famulus.kernel.paging import Paging
from famulus.kernel.settings import load_settings
from famulus.knowledge.lessons import sync_course_lessons
from famulus.knowledge.retrieve import search
from famulus.tools.arguments import check_arguments
from famulus.tools.builtin.catalogue import built_in
from famulus.tools.contract import Done, Preview, Retry, ToolContext, ToolFailed
from famulus.tools.offer import Toolbox
from tests.support.quizzes import questions
from tests.support.rooms import SITE, World, build_world, serving


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    """Two tenants and their people, and what their lessons say is known."""
    async with serving(database, *CAMPUS) as client:
        world = await build_world(database, client)
        async with database.write() as session:
            new = NewLesson(title="Walls", path="walls.md", body="# Walls\n\nA wall holds water back.")
            await lessons.create_lesson(session, SITE, world.their_course, new)
        await sync_course_lessons(database, world.course)
        await sync_course_lessons(database, world.their_course)
        yield world


async def use(world: World, who: str, name: str, *, thread_course: str | None = None, **given: Any) -> Done:
    """What a tool does for somebody."""
    tool = {each.name: each for each in built_in(world.database, load_settings())}[name]
    context = ToolContext(await world.principal(who), "thr_1", thread_course)
    checked = check_arguments(tool, given)
    if tool.place == "server":
        return await tool.act(context, checked)
    opened = world.database.read() if tool.effect == "reads" else world.database.write()
    async with opened as session:
        return await tool.act(ToolContext(context.principal, "thr_1", thread_course, "", session), checked)


async def foresee(world: World, who: str, name: str, **given: Any) -> Preview:
    """What a tool says it would do."""
    tool = {each.name: each for each in built_in(world.database, load_settings())}[name]
    assert tool.preview is not None
    principal = await world.principal(who)
    async with world.database.read() as session:
        context = ToolContext(principal, "thr_1", None, "", session)
        return await tool.preview(context, check_arguments(tool, given))


async def undo(world: World, who: str, done: Done) -> Done:
    """Take back what a tool did, as the button does it."""
    assert done.undo is not None
    return await use(world, who, done.undo.tool, **done.undo.arguments)


async def passage(world: World, what: str, who: str = "site") -> str:
    """The id of the best passage about something."""
    return (await search(world.database, await world.principal(who), what))[0].id


async def quiz_of(world: World, done: Done) -> QuizOut:
    """The quiz that was drafted."""
    async with world.database.read() as session:
        return await quizzes.get_quiz(session, SITE, data_of(done)["id"])


def data_of(done: Done) -> Any:
    """What the model reads; it has to be plain."""
    return json.loads(json.dumps(done.data))


# --- Reading ---------------------------------------------------------------------------------------


async def test_passages_come_with_their_ids(world: World) -> None:
    found = data_of(await use(world, "student", "search_knowledge", query="What computes?"))

    assert [(row["passage_id"], row["title"]) for row in found] == [
        (await passage(world, "computes"), "Nodes")
    ]


async def test_a_search_looks_into_the_course_that_it_names(world: World) -> None:
    async with world.database.write() as session:
        other = await create_course(session, SITE, NewCourse(title="Robot arms", organization_id=world.ours))
        new = NewLesson(title="Joints", path="joints.md", body="A joint computes nothing.")
        await lessons.create_lesson(session, SITE, other.id, new)
    await sync_course_lessons(world.database, other.id)

    async def titles(**given: str | None) -> list[str]:
        found = await use(world, "admin", "search_knowledge", query="computes", **given)
        return [row["title"] for row in data_of(found)]

    assert sorted(await titles()) == ["Joints", "Nodes"]
    assert await titles(course="robots") == ["Nodes"]
    assert await titles(course=other.id) == ["Joints"]
    assert await titles(thread_course=world.course) == ["Nodes"]
    with pytest.raises(Retry, match=other.id):
        await titles(course="robo")
    with pytest.raises(Retry, match="There is no"):
        await use(world, "student", "search_knowledge", query="computes", course=other.id)


async def test_a_search_of_one_source_and_kind(world: World) -> None:
    async def titles(**given: Any) -> list[str]:
        found = await use(world, "student", "search_knowledge", query="computes", **given)
        return [row["title"] for row in data_of(found)]

    assert await titles(kinds=["lesson"]) == await titles(source="lessons") == ["Nodes"]
    assert await titles(kinds=["code", "operation"]) == []
    with pytest.raises(Retry, match="There is no source"):
        await titles(source="theirs")


async def test_a_passage_is_opened_with_what_stands_around_it(world: World) -> None:
    text = "\n\n".join(f"# Part {n}\n\n{'Water runs downhill. ' * 60}" for n in range(3))
    async with world.database.write() as session:
        await lessons.change_lesson(session, SITE, world.lesson, LessonChange(body=text))
    await sync_course_lessons(world.database, world.course)
    found = await search(world.database, await world.principal("student"), "water part 1", limit=20)
    middle = next(each for each in found if each.heading_path[-1:] == ("Part 1",))

    opened = data_of(await use(world, "student", "open_passage", passage_id=middle.id))

    assert opened["text"] == middle.text
    assert opened["before"]
    assert opened["after"]


async def test_nobody_opens_what_is_not_for_their_eyes(world: World) -> None:
    draft, theirs = (
        await passage(world, "soon topics", "teacher"),
        await passage(world, "wall", "their_admin"),
    )

    assert data_of(await use(world, "teacher", "open_passage", passage_id=draft))["title"] == "Topics"
    for who, id in (("student", draft), ("student", theirs), ("teacher", theirs), ("student", "chk_none")):
        with pytest.raises(NotFound):
            await use(world, who, "open_passage", passage_id=id)


async def test_a_course_is_outlined_for_whoever_reads_it(world: World) -> None:
    async def outlined(who: str) -> Any:
        return data_of(await use(world, who, "summarise_course", course="Robots"))

    assert await outlined("student") == {
        "course": {"id": world.course, "title": "Robots", "description": ""},
        "lessons": [
            {
                "id": world.lesson,
                "title": "Nodes",
                "draft": False,
                "begins": "# Nodes\n\nA node computes.",
                "characters": 25,
            }
        ],
    }
    taught = await outlined("teacher")
    assert [(each["title"], each["draft"]) for each in taught["lessons"]] == [
        ("Nodes", False),
        ("Topics", True),
    ]
    with pytest.raises(Retry, match="There is no"):
        await outlined("idle")


async def test_a_long_course_is_outlined_in_bounds(world: World) -> None:
    async with world.database.write() as session:
        for n in range(40):
            new = NewLesson(title=f"Lesson {n}", path=f"{n}.md", body=f"{n}. " + "Water runs. " * 1000)
            await lessons.create_lesson(session, SITE, world.course, new)

    first = data_of(await use(world, "student", "summarise_course", thread_course=world.course))
    rest = data_of(
        await use(world, "student", "summarise_course", course=world.course, from_lesson=first["from_lesson"])
    )

    assert [len(each["lessons"]) for each in (first, rest)] == [30, 11]
    assert first["lessons"][-1]["title"] == "Lesson 28"
    assert rest["lessons"][0]["title"] == "Lesson 29"
    assert "from_lesson" not in rest
    assert all(len(json.dumps(each)) < 18_000 for each in (first, rest))


async def test_a_course_has_to_be_named_where_none_is_meant(world: World) -> None:
    with pytest.raises(Retry, match="`course`"):
        await use(world, "student", "summarise_course")


# --- Drafting a lesson -----------------------------------------------------------------------------


async def test_a_lesson_is_drafted_with_a_note_of_its_sources(world: World) -> None:
    source = await passage(world, "computes")
    given = {
        "course": "Robots",
        "title": "More nodes",
        "body": "# More\n\nNodes compute.",
        "sources": [source],
    }

    done = await use(world, "teacher", "draft_lesson", **given)
    again = await use(world, "teacher", "draft_lesson", **given)

    async with world.database.read() as session:
        lesson = await lessons.get_lesson(session, SITE, data_of(done)["id"])
    assert lesson.published is False
    assert lesson.path == "more-nodes.md"
    assert lesson.body == (
        "# More\n\nNodes compute.\n\n---\n\n*Drafted with an assistant from:*\n\n"
        f"- [Nodes](/courses/{world.course}/lessons/{world.lesson}#nodes)\n"
    )
    assert data_of(again)["path"] == "more-nodes-2.md"


async def test_a_draft_is_for_teachers_alone(world: World) -> None:
    done = await use(
        world, "teacher", "draft_lesson", course="Robots", title="Gears", body="Gears mesh.", sources=[]
    )
    await sync_course_lessons(world.database, world.course)
    student = await world.principal("student")

    assert await search(world.database, student, "gears mesh") == []
    async with world.database.read() as session:
        listed = await lessons.list_lessons(session, student, world.course, LessonFilters(), Paging())
        assert [lesson.title for lesson in listed.items] == ["Nodes"]
        with pytest.raises(NotFound):
            await lessons.get_lesson(session, student, data_of(done)["id"])


async def test_only_who_teaches_the_course_drafts_in_it(world: World) -> None:
    given = {"title": "Mine", "body": "Mine.", "sources": []}

    with pytest.raises(Forbidden, match="teacher in this course"):
        await use(world, "student", "draft_lesson", course=world.course, **given)
    for who in ("idle", "their_admin"):
        with pytest.raises(Retry, match="There is no"):
            await use(world, who, "draft_lesson", course=world.course, **given)
    box = Toolbox(built_in(world.database, load_settings()))
    drafting = {"draft_lesson", "draft_quiz", "discard_lesson_draft", "discard_quiz_draft"}
    assert not drafting & set((await box.offer(await world.principal("student"), ("*",))).tools)
    assert drafting <= set((await box.offer(await world.principal("teacher"), ("*",))).tools)


async def test_a_lesson_is_not_drafted_from_what_is_not_there(world: World) -> None:
    own, theirs = await passage(world, "computes"), await passage(world, "wall", "their_admin")

    for id in (theirs, "chk_none"):
        with pytest.raises(Retry, match=f"no passage {id}"):
            await use(
                world, "teacher", "draft_lesson", course="Robots", title="A", body="A", sources=[own, id]
            )


async def test_a_drafted_lesson_is_taken_back_until_it_is_published(world: World) -> None:
    given: dict[str, Any] = {"course": "Robots", "body": "A.", "sources": []}
    first = await use(world, "teacher", "draft_lesson", title="A", **given)
    second = await use(world, "teacher", "draft_lesson", title="B", **given)
    async with world.database.write() as session:
        await lessons.change_lesson(session, SITE, data_of(second)["id"], LessonChange(published=True))

    await undo(world, "teacher", first)
    with pytest.raises(ToolFailed, match="published by now"):
        await undo(world, "teacher", second)

    async with world.database.read() as session:
        assert (await lessons.get_lesson(session, SITE, data_of(first)["id"])).archived_at is not None
        assert (await lessons.get_lesson(session, SITE, data_of(second)["id"])).archived_at is None


async def test_a_drafted_lesson_is_foreseen_with_ids_for_names(world: World) -> None:
    seen = await foresee(world, "teacher", "draft_lesson", course="robots", title="A", body="A", sources=[])

    assert seen.title == "Draft the lesson “A” in “Robots”"
    assert seen.arguments == {"course": world.course, "title": "A", "body": "A", "sources": []}


# --- Drafting a quiz -------------------------------------------------------------------------------


async def test_a_quiz_of_every_kind_is_drafted(world: World) -> None:
    source = await passage(world, "computes")
    asked = questions(source, "A  node\ncomputes.")

    done = await use(
        world, "teacher", "draft_quiz", course="Robots", title="Nodes", lesson="nod", questions=asked
    )

    quiz = await quiz_of(world, done)
    assert (quiz.course_id, quiz.lesson_id, quiz.status) == (world.course, world.lesson, "draft")
    assert [question.kind for question in quiz.questions] == [each["kind"] for each in asked]
    assert {question.passage_id for question in quiz.questions} == {source}
    assert "1 single choice" in done.said


ONE, TWO = {"text": "One", "correct": True}, {"text": "Two", "correct": True}
WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "an unknown kind": ({"kind": "essay"}, "question 2, `kind`"),
    "no prompt": ({"prompt": " "}, "question 2, `prompt`"),
    "no options": ({"options": None}, "question 2, `options`: A single_choice question needs this"),
    "two right ones": ({"options": [ONE, TWO]}, "question 2, `options`: Exactly one option"),
    "no right one": (
        {"options": [{"text": "A"}, {"text": "B"}]},
        "question 2, `options`: Exactly one option",
    ),
    "one option": ({"options": [ONE]}, "question 2, `options`"),
    "the same option twice": ({"options": [ONE, {"text": "one"}]}, "question 2, `options`: Two options"),
    "an empty option": ({"options": [ONE, {"text": ""}]}, "question 2, `options.1.text`"),
    "no right one of several": (
        {"kind": "multiple_choice", "options": [{"text": "A"}, {"text": "B"}]},
        "question 2, `options`: At least one",
    ),
    "true or false without which": ({"kind": "true_false", "options": None}, "question 2, `answer`"),
    "no accepted answer": (
        {"kind": "short_answer", "options": None, "answers": []},
        "question 2, `answers`",
    ),
    "the same answer twice": (
        {"kind": "short_answer", "options": None, "answers": ["A", "a"]},
        "question 2, `answers`: Two answers",
    ),
    "no pairs": ({"kind": "matching", "options": None}, "question 2, `pairs`"),
    "a pair that is not one to one": (
        {
            "kind": "matching",
            "options": None,
            "pairs": [{"left": "a", "right": "x"}, {"left": "b", "right": "x"}],
        },
        "question 2, `pairs`: Two right sides",
    ),
    "half a pair": ({"kind": "matching", "options": None, "pairs": [{"left": "a"}] * 2}, "`pairs.0.right`"),
    "what is of another kind": (
        {"answer": True},
        "question 2, `answer`: A single_choice question has `options`",
    ),
    "no source": ({"passage_id": None}, "question 2, `passage_id`"),
    "a field that there is not": ({"points": 3}, "question 2, `points`"),
    "a passage that there is not": (
        {"passage_id": "chk_none"},
        "Question 2, `passage_id`: There is no passage",
    ),
    "words that nobody said": ({"quote": "A node sleeps."}, "Question 2, `quote`: These words do not stand"),
}


async def test_a_wrong_question_is_named_with_its_field(world: World) -> None:
    right = questions(await passage(world, "computes"))
    complaints: list[str] = []
    for what, (change, said) in WRONG.items():
        asked = [right[0], {**right[0], **change}, *right[2:]]
        try:
            await use(world, "teacher", "draft_quiz", course="Robots", title="Nodes", questions=asked)
        except Retry as word:
            complaints += [] if said in str(word) else [f"{what}: {word}"]
        else:
            complaints.append(f"{what}: was drafted")

    assert complaints == []
    async with world.database.read() as session:
        found = await quizzes.list_quizzes(session, SITE, world.course, QuizFilters(), Paging())
    assert found.items == []


async def test_a_quiz_has_one_to_thirty_questions(world: World) -> None:
    [one, *_] = questions(await passage(world, "computes"))

    for wrong in ([], [one] * 31):
        with pytest.raises(Retry, match="`questions`"):
            await use(world, "teacher", "draft_quiz", course="Robots", title="Nodes", questions=wrong)
    done = await use(world, "teacher", "draft_quiz", course="Robots", title="Nodes", questions=[one] * 30)
    assert (await quiz_of(world, done)).question_count == 30


async def test_a_passage_of_another_course_is_no_source(world: World) -> None:
    """Nor is one that its asker may read elsewhere."""
    theirs = await passage(world, "wall", "their_admin")

    for who in ("teacher", "site"):
        with pytest.raises(Retry, match=f"Question 1, `passage_id`: There is no passage '{theirs}'"):
            await use(
                world, who, "draft_quiz", course=world.course, title="A", questions=questions(theirs)[:1]
            )


async def test_a_quiz_is_not_drafted_by_who_learns(world: World) -> None:
    asked = questions(await passage(world, "computes"))

    with pytest.raises(Forbidden, match="teacher in this course"):
        await use(world, "student", "draft_quiz", course="Robots", title="Nodes", questions=asked)
    with pytest.raises(Retry, match="There is no"):
        await use(world, "teacher", "draft_quiz", course="Robots", title="A", lesson="Walls", questions=asked)


async def test_a_drafted_quiz_is_taken_back_until_it_is_reviewed(world: World) -> None:
    given: dict[str, Any] = {"course": "Robots", "questions": questions(await passage(world, "computes"))}
    first = await use(world, "teacher", "draft_quiz", title="A", **given)
    second = await use(world, "teacher", "draft_quiz", title="B", **given)
    async with world.database.write() as session:
        await quizzes.change_quiz(session, SITE, data_of(second)["id"], QuizChange(status="approved"))

    await undo(world, "teacher", first)
    with pytest.raises(ToolFailed, match="approved by now"):
        await undo(world, "teacher", second)

    assert (await quiz_of(world, first)).archived_at is not None
    assert (await quiz_of(world, second)).archived_at is None


async def test_a_drafted_quiz_is_foreseen_with_ids_for_names(world: World) -> None:
    asked = questions(await passage(world, "computes"))[:1]

    seen = await foresee(
        world, "teacher", "draft_quiz", course="Robots", title="A", lesson="Nodes", questions=asked
    )

    assert seen.title == "Draft the quiz “A” in “Robots”"
    bound = {"course": world.course, "title": "A", "lesson": world.lesson, "questions": asked}
    assert seen.arguments == bound
    assert "It has 1 single choice." in seen.notes
    await use(world, "teacher", "draft_quiz", **bound)
