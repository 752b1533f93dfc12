"""Tools for lessons: the pages of a course. What a model writes is a draft; only a person publishes a lesson."""

import re
from typing import Annotated

from pydantic import Field, StringConstraints

from famulus.campus import access, lessons
from famulus.campus.schemas.courses import LessonChange, LessonFilters, LessonPath, NewLesson
from famulus.kernel.paging import Paging
from famulus.kernel.text import LongText, Name, fold
from famulus.tools.arguments import Arguments
from famulus.tools.builtin import finding
from famulus.tools.builtin.changing import (
    Changing,
    Found,
    Shelf,
    Wish,
    change_tool,
    shelf_tools,
    taken_back,
    wanted_of,
)
from famulus.tools.builtin.courses import Which as WhichCourse
from famulus.tools.builtin.wording import SHOWN, listing, quoted
from famulus.tools.contract import Done, Preview, Tool, ToolContext

BODY = 18_000
"""Characters of a text that fits into one call."""
SLUG = 80
_BETWEEN_WORDS = re.compile(r"[\W_]+")
Body = Annotated[str, StringConstraints(strip_whitespace=False), LongText(BODY, min_length=0, strip=False)]
Which = Annotated[Name, Field(description="The lesson's title, its path in the course, or its id.")]
Where = Annotated[
    Name | None,
    Field(
        description="The course's title, or its id. By default the course in which the person is speaking."
    ),
]


class ListLessons(Arguments):
    """Which lessons of a course."""

    course: Where = None
    words: Name | None = None
    """The beginning of the title."""
    published: bool | None = None
    """false: only drafts."""
    archived: bool = False
    """Those that are archived, instead of those in use."""


class CreateLesson(Arguments):
    """A draft of a lesson to be; it comes last in its course."""

    course: WhichCourse
    title: Name
    body: Body
    """Its text, in Markdown."""
    path: LessonPath | None = None
    """Its place in the course, unique there, such as `02-nodes/topics.md`. By default made from the title."""


class UpdateLesson(Arguments):
    """What of a lesson is to be different; what is left away stays."""

    lesson: Which
    course: Where = None
    title: Name | None = None
    """What it is to be called."""
    body: Body | None = None
    """Its whole new text, in Markdown."""
    path: LessonPath | None = None


class OneLesson(Arguments):
    """Which lesson."""

    lesson: Which
    course: Where = None


async def _list(context: ToolContext, given: ListLessons) -> Done:
    course_id = await finding.course_here(context, given.course)
    filters = LessonFilters(q=given.words, published=given.published, archived=given.archived)
    found = await lessons.list_lessons(context.session, context.principal, course_id, filters, Paging(SHOWN))
    rows = [
        {"id": each.id, "title": each.title, "path": each.path, "published": each.published}
        for each in found.items
    ]
    return listing(rows, "lesson", more=found.next is not None)


async def _create(context: ToolContext, given: CreateLesson) -> Done:
    course = await finding.course(context, given.course)
    path = given.path or await free_path(context, course.id, given.title)
    new = NewLesson(title=given.title, path=path, body=given.body, published=False)
    made = await lessons.create_lesson(context.session, context.principal, course.id, new)
    return Done(
        f"Added the draft {quoted(made.title)} to {quoted(course.title)}; a person publishes it.",
        {"id": made.id, "title": made.title, "path": made.path, "published": made.published},
        taken_back(context, "lesson", made.id, made.title),
        (f"List the lessons of {quoted(course.title)}",),
    )


async def _foresee_creation(context: ToolContext, given: CreateLesson) -> Preview:
    course = await finding.course(context, given.course)
    await access.require_in(context.session, context.principal, "create", "lesson", course_id=course.id)
    path = given.path or await free_path(context, course.id, given.title)
    arguments = given.model_dump() | {"course": course.id, "path": path}
    return Preview(f"Add the draft {quoted(given.title)} to {quoted(course.title)}", arguments)


async def free_path(context: ToolContext, course_id: str, title: str) -> str:
    """A place in the course that is named after the lesson, and that no other has."""
    slug = _BETWEEN_WORDS.sub("-", fold(title)).strip("-")[:SLUG] or "lesson"
    return await lessons.free_path(context.session, context.principal, course_id, f"{slug}.md")


async def _find(context: ToolContext, given: OneLesson, archived: bool) -> Found:
    found = await finding.lesson(context, given.lesson, given.course, archived=archived)
    return Found(found.id, found.title, found.archived_at is not None)


async def _follows(context: ToolContext, found: Found) -> tuple[str, ...]:
    lesson = await lessons.get_lesson(context.session, context.principal, found.id)
    await access.require_in(
        context.session, context.principal, "archive", "lesson", course_id=lesson.course_id
    )
    readers = "Students no longer read it" if lesson.published else "It is a draft, so no student has read it"
    return (f"{readers}; assistants no longer answer from it.",)


async def _read(context: ToolContext, given: UpdateLesson) -> Wish:
    card = await finding.lesson(context, given.lesson, given.course)
    found = await lessons.get_lesson(context.session, context.principal, card.id)
    before = {"title": found.title, "body": found.body, "path": found.path}
    return Wish(found.id, found.title, before, wanted_of(given, "lesson", "course"))


async def _write(context: ToolContext, wish: Wish) -> str:
    change = LessonChange.model_validate(dict(wish.wanted))
    return (await lessons.change_lesson(context.session, context.principal, wish.id, change)).title


async def _require(context: ToolContext, wish: Wish) -> None:
    lesson = await lessons.get_lesson(context.session, context.principal, wish.id)
    await access.require_in(
        context.session, context.principal, "change", "lesson", course_id=lesson.course_id
    )


CHANGED = Changing(
    "lesson",
    UpdateLesson,
    _read,
    _write,
    _require,
    "Change a lesson: its title, its text as a whole, or its path. Publishing it is for a person.",
)
SHELF = Shelf(
    "lesson",
    OneLesson,
    _find,
    lessons.archive_lesson,
    _follows,
    "Students no longer read it, and assistants no longer answer from it.",
)


def tools() -> tuple[Tool, ...]:
    """The tools of this subject."""
    return (
        Tool(
            name="list_lessons",
            description="List the lessons of a course in their order, drafts among them for whoever teaches it.",
            parameters=ListLessons,
            effect="reads",
            needs=("lesson", "see"),
            act=_list,
        ),
        Tool(
            name="create_lesson",
            description="Add a lesson to a course with the title and the text that the person gives, word for word. "
            "Where you are to write the text yourself, use draft_lesson. It is always a draft: a person publishes it.",
            parameters=CreateLesson,
            effect="writes",
            needs=("lesson", "create"),
            act=_create,
            preview=_foresee_creation,
        ),
        change_tool(CHANGED),
        *shelf_tools(SHELF),
    )
