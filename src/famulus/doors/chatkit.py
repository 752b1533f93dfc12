"""The door `/chatkit`: ChatKit's protocol, one POST for everything. Who may come in; what they ask is `chatkit_ops`.

The types of the protocol are its publisher's package, which is loaded when the first client comes: a server that none
comes to neither waits for it nor keeps it in memory.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable

from fastapi import FastAPI, Request, Response

from famulus.doors.chatkit_reading import Rooms
from famulus.doors.following import IdempotencyKey
from famulus.identity.deps import CurrentPrincipal
from famulus.identity.principal import Principal

PATH = "/chatkit"
OPERATIONS = "famulus.doors.chatkit_ops"
Carry = Callable[[Rooms, Principal, Request, bytes, str | None], Awaitable[Response]]


async def chatkit(
    request: Request, principal: CurrentPrincipal, idempotency_key: IdempotencyKey = None
) -> Response:
    """One request of the protocol; a page may send a key with a message, as at every door."""
    body = await request.body()
    state = request.app.state
    rooms = Rooms(
        state.settings,
        state.database,
        state.runs,
        state.exchanges,
        state.approvals,
        state.undoing,
        state.attachments,
    )
    carry = _load() if OPERATIONS in sys.modules else await asyncio.to_thread(_load)
    return await carry(rooms, principal, request, body, idempotency_key)


def mount(app: FastAPI) -> None:
    """Put the door into the application."""
    app.add_api_route(PATH, chatkit, methods=["POST"], response_class=Response, include_in_schema=False)


def _load() -> Carry:
    # lazy: the protocol's types, which take a third of a second that many a server never needs
    from famulus.doors.chatkit_ops import answer

    return answer
