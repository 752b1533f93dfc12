"""People who come from a trusted issuer: which account is theirs, and what of it the issuer's claims decide.

An account is never taken for somebody's because the address is the same, unless the operator trusts the issuer in that,
and then not one that administers the site.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.identity import audit
from famulus.identity.accounts import Account, account_of, create_account, find_by_email
from famulus.identity.addresses import unproven_of
from famulus.identity.events import AccountChanged
from famulus.identity.foreign import Claimed
from famulus.identity.models import ForeignIdentity, User
from famulus.kernel.database import announce
from famulus.kernel.duplicates import duplicates_are
from famulus.kernel.errors import Conflict, Forbidden
from famulus.kernel.issuers import TrustedIssuer
from famulus.kernel.tables import utc_now


class ForeignRefused(Forbidden):
    """You are known to your identity provider, but there is no account for you here; ask an administrator."""

    code = "foreign_refused"


class AddressTaken(Forbidden):
    """There is an account with your e-mail address already, which is not linked to this identity provider."""

    code = "foreign_address_taken"


@dataclass(frozen=True, slots=True)
class Foreigner:
    """An account, and what the issuer's claims have made of it."""

    account: Account
    organization_id: str | None
    claimed_at: datetime | None
    vouched: bool
    """Whether the issuer has called the account's address the person's."""

    def knows_better_than(self, claimed: Claimed) -> bool:
        """Whether newer claims than these have been followed."""
        made, followed = claimed.issued_at, self.claimed_at
        return made is not None and followed is not None and made < followed


async def find(session: AsyncSession, claimed: Claimed) -> Foreigner | None:
    """Whose identity this is, if they have been here."""
    row = (
        await session.execute(
            select(ForeignIdentity, User)
            .join(User, User.id == ForeignIdentity.user_id)
            .where(ForeignIdentity.issuer == claimed.issuer, ForeignIdentity.subject == claimed.subject)
        )
    ).one_or_none()
    if row is None:
        return None
    identity, user = row
    return Foreigner(account_of(user), identity.organization_id, identity.claimed_at, identity.vouched)


async def take_in(session: AsyncSession, issuer: TrustedIssuer, claimed: Claimed) -> Foreigner:
    """The account of somebody who comes for the first time. Raises ForeignRefused or AddressTaken, and a Conflict
    when the same person is being taken in at the same moment."""
    account = await _linked(session, issuer, claimed)
    action = "account.link"
    if account is None:
        if not issuer.provision:
            raise ForeignRefused()
        account, action = await _created(session, claimed), "account.create"
    session.add(
        ForeignIdentity(
            issuer=claimed.issuer,
            subject=claimed.subject,
            user_id=account.id,
            organization_id=None,
            claimed_at=None,
            vouched=_vouches(claimed, account),
            created_at=utc_now(),
        )
    )
    with duplicates_are(Conflict()):
        await session.flush()
    after = {"issuer": claimed.issuer, "subject": claimed.subject}
    audit.record(session, None, action, audit.Thing(account.id, account.name), after=after)
    return Foreigner(account, None, None, _vouches(claimed, account))


def differs(issuer: TrustedIssuer, foreigner: Foreigner, claimed: Claimed) -> bool:
    """Whether the claims say of the account itself what is not so yet."""
    account = foreigner.account
    known = account.email_verified and foreigner.vouched
    newly = _vouches(claimed, account) and not known
    return newly or _site_admin(issuer, account, claimed) != account.site_admin


async def follow(
    session: AsyncSession,
    issuer: TrustedIssuer,
    foreigner: Foreigner,
    claimed: Claimed,
    organization_id: str | None,
) -> None:
    """Make of an account what the claims say, and note that they have been followed."""
    account = foreigner.account
    user = await session.get_one(User, account.id)
    given: dict[str, object] = {"site_admin": _site_admin(issuer, account, claimed)}
    vouches = _vouches(claimed, account)
    if vouches and not account.email_verified:
        given["email_verified_at"] = utc_now()
    before, after = audit.change(user, given)
    if after:
        audit.record(
            session, None, "account.change", audit.Thing(user.id, user.name), before=before, after=after
        )
    await session.execute(
        update(ForeignIdentity)
        .where(ForeignIdentity.issuer == claimed.issuer, ForeignIdentity.subject == claimed.subject)
        .values(
            organization_id=organization_id,
            claimed_at=claimed.issued_at,
            vouched=foreigner.vouched or vouches,
        )
    )
    announce(session, AccountChanged(account.id))


async def end_unvouched(session: AsyncSession, account: Account) -> None:
    """End the ways in from outside for which no issuer has vouched; whoever reads the mail has asked for it.

    That the address is verified by now says nothing of them: its owner may have opened the link that others asked for.
    """
    mine = (ForeignIdentity.user_id == account.id, ForeignIdentity.vouched.is_(False))
    ended = delete(ForeignIdentity).where(*mine).returning(ForeignIdentity.issuer, ForeignIdentity.subject)
    for issuer, subject in (await session.execute(ended)).all():
        before = {"issuer": issuer, "subject": subject}
        audit.record(
            session, audit.oneself(account), "account.unlink", audit.of_account(account), before=before
        )


async def _linked(session: AsyncSession, issuer: TrustedIssuer, claimed: Claimed) -> Account | None:
    """The existing account that is theirs, by its address; raises AddressTaken where that is somebody's else."""
    account = await find_by_email(session, claimed.email) if claimed.email else None
    if account is None:
        return None
    trusted = issuer.link_by_email and claimed.email_verified and not account.service
    # Whoever signed up with somebody else's address would otherwise share the account with its owner.
    trusted = trusted and not await unproven_of(session, [account.email])
    if not trusted or (account.site_admin and not issuer.allow_site_admin):
        raise AddressTaken()
    return account


async def _created(session: AsyncSession, claimed: Claimed) -> Account:
    digest = hashlib.sha256(f"{claimed.issuer} {claimed.subject}".encode()).hexdigest()[:24]
    email = claimed.email or f"{digest}@foreign.invalid"
    return await create_account(
        session,
        email=email,
        name=claimed.name or (claimed.email or "").partition("@")[0] or "Somebody",
        password_hash=None,
        verified=claimed.email_verified,
    )


def _vouches(claimed: Claimed, account: Account) -> bool:
    return claimed.email_verified and claimed.email == account.email


def _site_admin(issuer: TrustedIssuer, account: Account, claimed: Claimed) -> bool:
    return claimed.role == "site_admin" if issuer.allow_site_admin else account.site_admin
