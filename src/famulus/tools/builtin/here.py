"""Which course a call is about: the one that it names, else the one that the conversation is about."""

from sqlalchemy.ext.asyncio import AsyncSession

from famulus.campus.courses import CourseCard, course_card
from famulus.campus.lookup import course_by_name
from famulus.tools.contract import Retry, ToolContext


async def course_meant(session: AsyncSession, context: ToolContext, name: str | None) -> CourseCard:
    """The course that is meant. Raises NotFound, Ambiguous with the candidates, or Retry where nothing says which."""
    if name is not None:
        return await course_by_name(session, context.principal, name)
    if context.course_id is not None:
        return await course_card(session, context.principal, context.course_id)
    raise Retry("Say which `course`: this conversation is not about one.")
