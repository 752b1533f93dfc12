"""All that is one's own, to take along: a JSON object a line, read page by page, so that a long one holds nothing.

account, membership …, then of what is in use and of what is put away: task …, thread, message … of that thread.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Annotated, Any, TypeVar

import msgspec
from fastapi import APIRouter, Depends, Response
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import StreamingResponse

from famulus.campus import presence
from famulus.campus.schemas.tasks import TaskFilters
from famulus.campus.tasks import list_tasks
from famulus.conversations.schemas import ThreadOut
from famulus.conversations.threads import list_messages, list_threads
from famulus.identity.deps import CurrentPrincipal, DatabaseDep
from famulus.identity.principal import Principal
from famulus.kernel.database import Database
from famulus.kernel.errors import NotFound
from famulus.kernel.paging import MAX_LIMIT, Page, Paging

T = TypeVar("T")
LINES = "application/jsonl"
_A_FILE: dict[int | str, dict[str, Any]] = {
    200: {"description": "JSON objects, one a line.", "content": {LINES: {"schema": {"type": "string"}}}}
}

router = APIRouter(tags=["auth"])


async def _own_session(principal: CurrentPrincipal) -> Principal:
    """A key is made for one thing or another, and never for all of it."""
    principal.needs_session()
    return principal


@router.get("/api/auth/me/export", response_class=Response, responses=_A_FILE)
async def export_me(
    principal: Annotated[Principal, Depends(_own_session)], database: DatabaseDep
) -> Response:
    """One's account, memberships, tasks and conversations, as JSON objects, one a line; needs a session."""
    headers = {"Content-Disposition": 'attachment; filename="famulus.jsonl"', "Cache-Control": "no-store"}
    return StreamingResponse(own_data(database, principal), media_type=LINES, headers=headers)


async def own_data(database: Database, principal: Principal) -> AsyncGenerator[bytes, None]:
    """Lines of `{"kind": …, …}`, some at a time; dates are RFC 3339."""
    async with database.read() as session:
        mine = await presence.me(session, principal)
    yield _line("account", mine.user.model_dump(mode="json"))
    yield b"".join(_line("membership", each.model_dump(mode="json")) for each in mine.memberships)
    for away in (False, True):
        async for tasks in _pages(database, _tasks(principal, away=away)):
            yield b"".join(_line("task", task.model_dump(mode="json")) for task in tasks)
        async for part in _conversations(database, principal, away=away):
            yield part


async def _conversations(
    database: Database, principal: Principal, *, away: bool
) -> AsyncGenerator[bytes, None]:
    """The oldest first: one that goes on meanwhile moves to the end, and is not told of twice."""
    told = set[str]()

    async def threads(session: AsyncSession, paging: Paging) -> Page[ThreadOut]:
        found = await list_threads(session, principal, paging, archived=away, oldest_first=True)
        return found.map(ThreadOut.of)

    async for cards in _pages(database, threads):
        for card in cards:
            if card.id not in told:
                told.add(card.id)
                yield _line("thread", card.model_dump(mode="json"))
                async for part in _said(database, principal, card.id):
                    yield part


async def _said(database: Database, principal: Principal, thread_id: str) -> AsyncGenerator[bytes, None]:
    """The messages of a thread; fewer, if it is deleted meanwhile."""
    try:
        async for found in _pages(
            database, lambda session, paging: list_messages(session, principal, thread_id, paging)
        ):
            yield b"".join(_line("message", msgspec.to_builtins(message)) for message in found)
    except NotFound:
        return


def _tasks(principal: Principal, *, away: bool) -> Callable[[AsyncSession, Paging], Awaitable[Page[Any]]]:
    return lambda session, paging: list_tasks(session, principal, TaskFilters(archived=away), paging)


async def _pages(
    database: Database, read: Callable[[AsyncSession, Paging], Awaitable[Page[T]]]
) -> AsyncGenerator[list[T], None]:
    """Every page of a list, each read in a transaction of its own."""
    after: str | None = None
    while True:
        async with database.read() as session:
            found = await read(session, Paging(MAX_LIMIT, after))
        yield found.items
        if found.next is None:
            return
        after = found.next


def _line(kind: str, fields: dict[str, Any]) -> bytes:
    return msgspec.json.encode({"kind": kind, **fields}) + b"\n"
