"""What the audit keeps of people from outside who were not let in: by which way, of which issuer, why, and from where.

A token that has run out is no refusal: every client has one now and then. Nobody fills the table: of a network address
the first `brake.REFUSALS_FROM.free` are written down, until its brake closes, and of all failures together no more than
`brake.NOTES`. While the brake is closed a refusal costs one read and writes nothing.
"""

import hashlib
from dataclasses import dataclass
from typing import Literal

from famulus.identity import audit, brake
from famulus.kernel.database import Database
from famulus.kernel.errors import TooMany
from famulus.kernel.origin import origin

REFUSED = "account.refused_outside"
LONGEST_NAME = 300
Way = Literal["token", "sign-in", "gateway"]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Somebody was not let in."""

    way: Way
    why: str
    """For those who read the audit; never what was sent."""
    issuer: str | None = None
    """None where it is not one that is trusted: anybody writes anything there."""
    subject: str | None = None
    """Whom the issuer speaks of, where that was checked."""


async def note(database: Database, refusal: Refusal) -> None:
    """Write a refusal down, unless it is one of too many."""
    counted = [brake.refusals(origin().address)]
    try:
        async with database.read() as session:
            await brake.check(session, counted)
        async with database.write() as session:
            [counted_try] = await brake.reserve(session, counted)
            count, free = counted_try.count, brake.REFUSALS_FROM.free
            if count <= free and await brake.may_note(session):
                after = {"way": refusal.way, "why": refusal.why, "slowed": count == free}
                await audit.record_all(session, None, [audit.Done(REFUSED, _thing(refusal), after=after)])
    except TooMany:
        return


def _thing(refusal: Refusal) -> audit.Thing:
    name = (refusal.issuer or "an issuer that is not trusted")[:LONGEST_NAME]
    if refusal.subject is None:
        return audit.Thing("outside", name)
    digest = hashlib.sha256(f"{refusal.issuer} {refusal.subject}".encode("utf-8", "replace")).hexdigest()
    return audit.Thing(f"sha256:{digest[:32]}", name)
