"""Tools for who answers in a course."""

from typing import Annotated

from pydantic import Field

from famulus.assistants.registry import assistant_names, pin_course, usable_assistants
from famulus.campus import access
from famulus.campus.courses import CourseCard
from famulus.kernel.text import Name
from famulus.tools.arguments import Arguments
from famulus.tools.builtin import finding
from famulus.tools.builtin.courses import Which as WhichCourse
from famulus.tools.builtin.wording import quoted
from famulus.tools.contract import Difference, Done, Preview, Retry, Tool, ToolContext, Undo

CANDIDATES = 5


class SetCourseAssistant(Arguments):
    """Who is to answer in a course."""

    course: WhichCourse
    assistant: Annotated[Name | None, Field(description="The assistant's name, or its id; null for none.")]
    """null lets the course be answered by whoever answers by default."""


async def _set(context: ToolContext, given: SetCourseAssistant) -> Done:
    course = await finding.course(context, given.course)
    assistant = await _assistant(context, course, given.assistant)
    await pin_course(context.session, context.principal, course.id, assistant)
    names = await _names(context, course, assistant)
    data = {"course": course.title, "assistant": names.get(assistant or "")}
    if assistant == course.assistant_id:
        return Done(f"This is so in {quoted(course.title)} already.", data)
    undo = Undo(
        "set_course_assistant",
        {"course": course.id, "assistant": course.assistant_id},
        f"Change the assistant of {quoted(course.title)} back",
    )
    if assistant is None:
        return Done(f"{quoted(course.title)} is answered by the default assistant again.", data, undo)
    return Done(f"{quoted(names[assistant])} answers in {quoted(course.title)} from now on.", data, undo)


async def _foresee(context: ToolContext, given: SetCourseAssistant) -> Preview:
    course = await finding.course(context, given.course)
    assistant = await _assistant(context, course, given.assistant)
    await access.require_in(
        context.session, context.principal, "change", "course assistant", course_id=course.id
    )
    names = await _names(context, course, assistant)
    change = Difference("assistant", names.get(course.assistant_id or ""), names.get(assistant or ""))
    arguments = {"course": course.id, "assistant": assistant}
    return Preview(f"Set the assistant of {quoted(course.title)}", arguments, (change,))


async def _names(context: ToolContext, course: CourseCard, assistant: str | None) -> dict[str, str]:
    return await assistant_names(context.session, {each for each in (course.assistant_id, assistant) if each})


async def _assistant(context: ToolContext, course: CourseCard, name: str | None) -> str | None:
    """The id of the assistant that is meant. Raises `Retry` with the candidates."""
    if name is None:
        return None
    found = await usable_assistants(context.session, context.principal, course, name)
    match found:
        case [(id, _)]:
            return id
        case []:
            raise Retry(f"There is no assistant {name!r} for this course. Ask the person which one is meant.")
        case several:
            named = "; ".join(f"{called} ({id})" for id, called in several[:CANDIDATES])
            raise Retry(f"{name!r} may mean {named}. Ask which one is meant, and call again with its id.")


TOOLS = (
    Tool(
        name="set_course_assistant",
        description="Choose the assistant that answers in a course, or none so that the default one does.",
        parameters=SetCourseAssistant,
        effect="writes",
        needs=("course assistant", "change"),
        act=_set,
        preview=_foresee,
    ),
)
