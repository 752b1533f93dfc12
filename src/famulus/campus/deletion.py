"""Deleting an account: one's own, or anybody's as a site admin; who stays behind must not be left without an admin.

Gone with it are its sessions and keys, threads with all that was said, tasks, memberships and enrolments, mails, and
the invitations by which it came. What it made for others stays: courses, material, assistants. The audit keeps its id.
"""

from sqlalchemy import delete, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.campus import access
from famulus.campus.memberships import LastAdmin
from famulus.campus.models import Invitation, Membership, Organization
from famulus.identity import administration, audit, own_account
from famulus.identity.administration import OwnAccount
from famulus.identity.gate import Gate
from famulus.identity.principal import Principal
from famulus.kernel.database import Database


async def delete_own_account(
    database: Database, gate: Gate, principal: Principal, *, password: str | None, address: str | None
) -> None:
    """Delete the asker's account. Raises what `own_account.prove` does, LastAdmin or LastSiteAdmin."""
    shown = await own_account.prove(database, gate, principal, password=password, address=address)
    async with database.write() as session:
        await own_account.accept(session, shown)
        await delete_account(session, principal, principal.user_id)


async def delete_anybodys(session: AsyncSession, principal: Principal, user_id: str) -> None:
    """Delete somebody else's account. Raises NotFound, Forbidden, OwnAccount, LastAdmin or LastSiteAdmin."""
    access.require_person(principal, "delete", user_id)
    if principal.user_id == user_id:
        raise OwnAccount()
    await delete_account(session, principal, user_id)


async def delete_account(session: AsyncSession, actor: Principal | None, user_id: str) -> None:
    """Delete an account; None is the operator, and rights are the caller's to ask. Raises as above."""
    account = await administration.get_account(session, user_id)
    await _require_other_admins(session, user_id)
    mine = or_(Invitation.email == account.email, Invitation.accepted_by == user_id)
    gone = await session.scalars(delete(Invitation).where(mine).returning(Invitation.id))
    await audit.forget_things(session, gone.all())
    await administration.delete(session, actor, user_id)


async def _require_other_admins(session: AsyncSession, user_id: str) -> None:
    """That every organization in use which this person administers has another admin, until this is settled."""
    administered = (
        select(Organization.id, Organization.name)
        .join(Membership, Membership.organization_id == Organization.id)
        .where(Membership.user_id == user_id, Membership.role == "organization_admin")
        .where(Organization.archived_at.is_(None))
        .order_by(Organization.id)
        .with_for_update(of=Organization)
    )
    mine = {row[0]: row[1] for row in await session.execute(administered)}
    others = select(Membership.organization_id).where(
        Membership.organization_id.in_(mine),
        Membership.role == "organization_admin",
        Membership.user_id != user_id,
    )
    kept = set(await session.scalars(others.distinct())) if mine else set[str]()
    for id, name in mine.items():
        if id not in kept:
            raise LastAdmin(
                f"Nobody else administers {name!r}: make another member its organization_admin, or archive it, first."
            )
