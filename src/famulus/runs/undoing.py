"""Taking back what a tool did, at the press of a button: the call that undoes it, and its mark, in one transaction."""

from dataclasses import dataclass

from msgspec.structs import replace
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.conversations.parts import MessageView, Part, Tool
from famulus.conversations.threads import find_message, rewrite_parts
from famulus.identity import audit
from famulus.identity.principal import Principal
from famulus.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from famulus.tools.arguments import check_arguments, read_arguments
from famulus.tools.contract import Retry, ToolContext, ToolFailed
from famulus.tools.offer import Toolbox


class NothingToUndo(NotFound):
    """This message has no such call of yours that can be taken back."""

    code = "nothing_to_undo"


class AlreadyUndone(Conflict):
    """This was taken back already."""

    code = "already_undone"


@dataclass(frozen=True, slots=True)
class Undoing:
    """Takes calls back."""

    toolbox: Toolbox

    async def undo(
        self, session: AsyncSession, principal: Principal, message_id: str, call_id: str
    ) -> MessageView:
        """Take one call of an answer back.

        Raises NeedsPerson for a tool, NothingToUndo, AlreadyUndone, or what the tool raises.
        """
        principal.no_tool()
        message = await find_message(session, principal, message_id, to_change=True)
        found = next(
            (p for p in message.parts if isinstance(p, Tool) and p.call_id == call_id and p.status == "ok"),
            None,
        )
        if found is None or found.undo is None:
            raise NothingToUndo()
        if found.undone:
            raise AlreadyUndone()
        offer = await self.toolbox.offer(principal, (found.undo.tool,))
        tool = offer.tools.get(found.undo.tool)
        if tool is None or tool.place != "database":
            raise Forbidden("What takes this back is no longer yours to do.")
        context = ToolContext(principal, message.thread_id, None, transaction=session)
        try:
            await tool.act(context, check_arguments(tool, read_arguments(found.undo.arguments)))
        except (Retry, ToolFailed) as word:
            raise Invalid(str(word)) from word
        thing = audit.Thing(call_id[:100], found.name, principal.organization_id)
        audit.record(session, principal, "tool.undo", thing, after={"tool": tool.name})
        parts: tuple[Part, ...] = tuple(
            replace(part, undone=True) if part is found else part for part in message.parts
        )
        return await rewrite_parts(session, principal, message_id, parts)
