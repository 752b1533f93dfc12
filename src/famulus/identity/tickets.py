"""Tickets: a way in for what cannot send a header, such as a page's WebSocket. Good once, and for half a minute.

A ticket stands for the credential that it was asked for with, and reaches no further: whoever comes with it is whom
that credential lets in at that moment.
"""

import secrets
from datetime import timedelta

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.identity.models import Ticket
from famulus.kernel.database import Database
from famulus.kernel.errors import Unauthenticated
from famulus.kernel.secrets import Unreadable, Vault, digest
from famulus.kernel.tables import utc_now

LIFE = timedelta(seconds=30)
PREFIX = "fmw_"


class TicketRefused(Unauthenticated):
    """This ticket was used before or has run out; ask for another."""

    code = "ticket_refused"


async def issue(session: AsyncSession, vault: Vault, credential: str) -> str:
    """A new ticket that stands for a credential. Those that nobody has used in time are forgotten."""
    ticket, now = PREFIX + secrets.token_urlsafe(32), utc_now()
    await session.execute(delete(Ticket).where(Ticket.expires_at < now))
    hashed = digest(ticket)
    session.add(Ticket(token_hash=hashed, sealed=vault.encrypt(credential, hashed), expires_at=now + LIFE))
    return ticket


async def use(database: Database, vault: Vault, ticket: str) -> str:
    """The credential that a ticket stands for, once; of many who show it at one moment, one gets it.

    Raises TicketRefused.
    """
    hashed = digest(ticket)
    taken = delete(Ticket).where(Ticket.token_hash == hashed, Ticket.expires_at > utc_now())
    async with database.write() as session:
        sealed = (await session.execute(taken.returning(Ticket.sealed))).scalar_one_or_none()
    if sealed is None:
        raise TicketRefused()
    try:
        return vault.decrypt(sealed, hashed)
    except Unreadable as error:
        raise TicketRefused() from error
