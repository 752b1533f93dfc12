"""Tools that look into the material: search it, open a passage, and read how the lessons of a course begin."""

from dataclasses import replace
from functools import partial
from typing import Annotated

from pydantic import Field

from famulus.campus.courses import get_course
from famulus.campus.lessons import outline
from famulus.kernel.database import Database
from famulus.kernel.text import Id
from famulus.knowledge.index import KINDS, Kind
from famulus.knowledge.retrieve import Retriever, open_passage
from famulus.knowledge.sources import sources_named
from famulus.tools.arguments import Arguments
from famulus.tools.builtin import finding
from famulus.tools.contract import Done, Retry, Tool, ToolContext

PASSAGES = 5
LESSONS = 30
"""Lessons of one outline."""
CHARACTERS, OF_ONE = 12_000, 1_500
"""Of their texts together, and of one of them: an outline has to fit into the result of one call."""
CourseName = Annotated[str, Field(min_length=1, max_length=200)]


class Search(Arguments):
    """What to look for."""

    query: Annotated[str, Field(min_length=1, max_length=1000)]
    """What to look for, in a few words."""
    course: CourseName | None = None
    """Title or id of the course to look in; left away, the course of this conversation, else everything readable."""
    kinds: Annotated[tuple[Kind, ...], Field(max_length=len(KINDS))] = ()
    """Look in these kinds of material only: lessons, other documents, code, operations of an API; left away, in all."""
    source: Annotated[str, Field(min_length=1, max_length=300)] | None = None
    """Name or id of the source to look in, such as a folder or a repository; left away, in all."""


class OnePassage(Arguments):
    """Which passage."""

    passage_id: Id
    """As search_knowledge gives it."""


class Summarise(Arguments):
    """Of which course, and from where on."""

    course: CourseName | None = None
    """The course's title or id; left away, the course of this conversation."""
    from_lesson: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    """Title or id of the lesson to begin with, to go on where an outline ended."""


def tools(database: Database, retriever: Retriever) -> tuple[Tool, ...]:
    """The tools of this subject."""
    return (
        Tool(
            name="search_knowledge",
            description="Search the material of the course for passages about a subject. Use it when the passages "
            "that you were given do not answer the question.",
            parameters=Search,
            effect="reads",
            place="server",
            act=partial(_search, database, retriever),
        ),
        Tool(
            name="open_passage",
            description="Read a whole passage of the material, with what stands before and after it.",
            parameters=OnePassage,
            effect="reads",
            act=_open,
        ),
        Tool(
            name="summarise_course",
            description="Get the outline of a course to summarise it from: its lessons in their order, each with "
            "how it begins. Say that you have read beginnings, not whole lessons.",
            parameters=Summarise,
            effect="reads",
            act=_summarise,
        ),
    )


async def _search(database: Database, retriever: Retriever, context: ToolContext, given: Search) -> Done:
    course_id = context.course_id
    if given.course is not None:
        async with database.read() as session:
            course_id = await finding.course_here(replace(context, transaction=session), given.course)
    sources: list[str] = []
    if given.source is not None:
        async with database.read() as session:
            sources = await sources_named(session, context.principal, given.source)
        if not sources:
            raise Retry(f"There is no source {given.source!r}; leave `source` away to look everywhere.")
    answer = await retriever.search(
        context.principal,
        given.query,
        course_id=course_id,
        limit=PASSAGES,
        sources=sources,
        kinds=given.kinds,
    )
    rows = [
        {"passage_id": p.id, "title": p.title, "section": " › ".join(p.heading_path), "text": p.text}
        for p in answer.passages
    ]
    said = f"Found {len(rows)} passages." if rows else "Found no passage about it."
    if answer.reading:
        said += " Some of the material is still being read, so there may be more in a while."
    if answer.other_language:
        said += (
            " The question is in another language than the material: search in the language of the material."
        )
    return Done(said, rows)


async def _open(context: ToolContext, given: OnePassage) -> Done:
    opened = await open_passage(context.session, context.principal, given.passage_id)
    passage = opened.passage
    data = {
        "passage_id": passage.id,
        "title": passage.title,
        "section": " › ".join(passage.heading_path),
        "url": passage.url,
        "before": opened.before,
        "text": passage.text,
        "after": opened.after,
    }
    return Done(f"Opened a passage of “{passage.title}”.", data)


async def _summarise(context: ToolContext, given: Summarise) -> Done:
    session, principal = context.session, context.principal
    course_id = await finding.course_here(context, given.course)
    course = await get_course(session, principal, course_id)
    since = None
    if given.from_lesson is not None:
        since = (await finding.lesson(context, given.from_lesson, course.id)).id
    found = await outline(session, principal, course.id, since=since, limit=LESSONS + 1, characters=OF_ONE)
    shown, rest = found[:LESSONS], found[LESSONS:]
    share = min(OF_ONE, CHARACTERS // max(1, len(shown)))
    data: dict[str, object] = {
        "course": {"id": course.id, "title": course.title, "description": course.description[:OF_ONE]},
        "lessons": [
            {
                "id": lesson.id,
                "title": lesson.title,
                "draft": not lesson.published,
                "begins": lesson.text[:share],
                "characters": lesson.length,
            }
            for lesson in shown
        ],
    }
    more = ""
    if rest:
        data["from_lesson"] = rest[0].id
        more = f" It goes on with “{rest[0].title}”: call again with `from_lesson`."
    return Done(
        f"Read how {len(shown)} of the {course.lesson_count} lessons of “{course.title}” begin.{more}", data
    )
