"""Tools for courses and their lessons."""

from famulus.campus.courses import my_courses
from famulus.tools.arguments import Nothing
from famulus.tools.contract import Done, Tool, ToolContext


async def _list_my_courses(context: ToolContext, _given: Nothing) -> Done:
    courses = await my_courses(context.session, context.principal)
    return Done(
        f"You have {len(courses)} courses.", [{"id": each.id, "title": each.title} for each in courses]
    )


TOOLS = (
    Tool(
        name="list_my_courses",
        description="List the courses that the person learns or teaches.",
        parameters=Nothing,
        effect="reads",
        act=_list_my_courses,
    ),
)
