"""Links by mail: proving that an address is one's own, and getting back in without the password.

Asking for a link tells nobody whether there is an account: the request only has a job done, and whether that job finds
somebody is not its answer's affair.
"""

from sqlalchemy.ext.asyncio import AsyncSession

from famulus.identity import audit, brake, email_tokens, foreigners, keys, letters, mails
from famulus.identity.accounts import (
    Account,
    EmailTaken,
    account_of,
    find_by_email,
    lookup_email,
    secret_of,
    set_password,
)
from famulus.identity.events import AccountChanged
from famulus.identity.gate import Gate
from famulus.identity.principal import Principal
from famulus.identity.sessions import end_sessions
from famulus.kernel.database import Database, announce
from famulus.kernel.duplicates import duplicates_are
from famulus.kernel.jobs import Payload, enqueue
from famulus.kernel.secrets import digest
from famulus.kernel.settings import Settings
from famulus.kernel.tables import utc_now

FORGOTTEN_JOB = "account.forgotten"


async def send_verification(session: AsyncSession, settings: Settings, account: Account) -> None:
    """Mail a link by which the account's address is verified."""
    issued = await email_tokens.issue(session, account.id, "verify", account.email)
    await _write(session, settings, "verify", account.locale, issued, to=account.email)


async def send_verification_again(
    session: AsyncSession, settings: Settings, principal: Principal, address: str | None
) -> None:
    """The same for somebody who is signed in; nothing when the address is verified.

    Raises NeedsSession or TooManyMails.
    """
    principal.needs_session()
    account = await find_by_email(session, principal.email)
    if account is not None and account.id == principal.user_id and not account.email_verified:
        await brake.reserve(session, brake.mails(principal.email, address))
        await send_verification(session, settings, account)


async def open_link(session: AsyncSession, settings: Settings, token: str) -> Account:
    """Verify the address that a link was sent to, or make it the account's. Raises LinkRefused or EmailTaken."""
    user, purpose, email = await email_tokens.take(session, token, "verify", "change")
    before = account_of(user)
    user.email_verified_at = user.updated_at = utc_now()
    if purpose == "change":
        user.email = email
        with duplicates_are(EmailTaken()):
            await session.flush()
        await email_tokens.void(session, user.id)
        moved = letters.letter("moved", before.locale, site=settings.base_url)
        await mails.put(session, settings, moved, to=before.email)
    after = account_of(user)
    actor, thing = audit.oneself(before), audit.of_account(after)
    if purpose == "change":
        changed = {"before": {"email": before.email}, "after": {"email": after.email}}
        audit.record(session, actor, "account.change", thing, **changed)
    else:
        audit.record(session, actor, "account.verify_email", thing)
    await mails.void(session, purpose, email)
    announce(session, AccountChanged(user.id, ("email",) if purpose == "change" else ("email_verified",)))
    return after


async def ask_for_reset(database: Database, email: str, address: str | None) -> None:
    """Have a link mailed to set a new password, if there is such an account. Raises TooManyMails."""
    email = lookup_email(email)
    async with database.write() as session:
        await brake.reserve(session, brake.mails(email, address))
        await enqueue(session, FORGOTTEN_JOB, {"email": email}, unique=f"forgotten:{digest(email)}")


async def reset_password(database: Database, gate: Gate, token: str, password: str) -> Account:
    """Set a new password and end every session. Raises LinkRefused, or Invalid for a password that is too easy.

    Whoever has the link reads the mailbox, so the address is verified as well. Whoever came in from outside and only
    said that it was theirs may have been somebody else, as may whoever made keys before anybody had shown that it is:
    those ways in end.
    """
    async with database.read() as session:
        account = account_of(await email_tokens.owner_of(session, token, "reset"))
    password_hash = await gate.new_hash(password, email=account.email, name=account.name)
    async with database.write() as session:
        user, _, email = await email_tokens.take(session, token, "reset")
        await keys.end_early(session, account, user.email_verified_at)
        user.email_verified_at = user.email_verified_at or utc_now()
        await foreigners.end_unvouched(session, account)
        await set_password(session, user.id, password_hash)
        await email_tokens.void(session, user.id)
        await end_sessions(session, user.id)
        await brake.forgive(session, email)
        await mails.void(session, "reset", email)
        audit.record(session, audit.oneself(account), "account.reset_password", audit.of_account(account))
        announce(session, AccountChanged(user.id, ("password", "email_verified")))
        return account_of(user)


async def ask_to_change_email(
    session: AsyncSession, settings: Settings, principal: Principal, email: str
) -> None:
    """Mail a link to the address that somebody wants to have; it becomes theirs when the link is opened.

    To an address that has an account already nothing is sent, and the asker is not told: it may be anybody's.
    """
    if await secret_of(session, email) is not None:
        return
    issued = await email_tokens.issue(session, principal.user_id, "change", email)
    await _write(session, settings, "change", principal.locale, issued, to=email)


async def _write(
    session: AsyncSession,
    settings: Settings,
    kind: letters.Kind,
    locale: str,
    issued: email_tokens.Issued,
    *,
    to: str,
) -> None:
    site = settings.base_url
    written = letters.letter(kind, locale, site=site, token=issued.token, expires_at=issued.expires_at)
    await mails.put(session, settings, written, to=to)


class Forgotten:
    """The job behind `ask_for_reset`."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings

    async def handle(self, payload: Payload) -> None:
        """Mail a link, if there is somebody to mail it to."""
        async with self._database.write() as session:
            secret = await secret_of(session, str(payload["email"]))
            if secret is None or secret.suspended:
                return
            account = secret.account
            issued = await email_tokens.issue(session, account.id, "reset", account.email)
            await _write(session, self._settings, "reset", account.locale, issued, to=account.email)
