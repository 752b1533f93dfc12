"""The outbox: mails are written into it in the transaction that causes them, and leave it by a job (`postman`).

Without a mail server they are kept for the site admin to read and pass on. A link that opens an account stands in it no
longer than it must: not once it is sent, nor once it has run out. Until then it is encrypted, so that whoever gets hold
of the database or a backup of it opens nobody's account.
"""

from datetime import datetime, timedelta

import structlog
from sqlalchemy import and_, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.identity.letters import Letter
from famulus.identity.models import Mail
from famulus.identity.schemas import MailOut, MailRef
from famulus.kernel.errors import NotFound
from famulus.kernel.ids import new_id
from famulus.kernel.jobs import enqueue
from famulus.kernel.paging import Page, Paging, page
from famulus.kernel.secrets import Unreadable, vault_of
from famulus.kernel.settings import Settings
from famulus.kernel.tables import utc_now

MAIL_JOB = "mail.send"
KEPT_FOR = timedelta(days=30)
GIVEN_UP_AFTER = timedelta(days=1)
"""For so long a mail server may be away."""
LATE = timedelta(minutes=5)
"""A mail that waits longer shows that something is wrong."""
GONE = "The link in it has run out."
CLOSED = "It cannot be read any more: FAMULUS_SECRET_KEY was changed since. Have it sent again."
log = structlog.get_logger(__name__)


async def put(session: AsyncSession, settings: Settings, letter: Letter, *, to: str) -> None:
    """Have a letter go out when this transaction has committed."""
    id = new_id("mai")
    mail = Mail(
        id=id,
        recipient=to,
        subject=" ".join(letter.subject.split())[:300],
        body=vault_of(settings).encrypt(letter.text, id),
        kind=letter.kind,
        language=letter.language,
        state="waiting" if settings.smtp_host else "kept",
        expires_at=letter.expires_at,
        created_at=utc_now(),
    )
    session.add(mail)
    if settings.smtp_host:
        await enqueue(session, MAIL_JOB, {"mail_id": mail.id})
    elif settings.local:
        # On one's own machine the log is the mailbox; `link` is the one field that shows a link, and only there.
        log.info("mail_kept", recipient=to, subject=mail.subject, link=letter.link)


async def list_mails(session: AsyncSession, paging: Paging, *, state: str | None = None) -> Page[MailRef]:
    """The mails of the outbox without what is in them, the newest first; who may read is the caller's to ask."""
    query = select(Mail) if state is None else select(Mail).where(Mail.state == state)
    found: Page[Mail] = await page(session, query, by=[Mail.id], paging=paging, descending=True)
    return found.map(MailRef.model_validate)


async def get_mail(session: AsyncSession, settings: Settings, mail_id: str) -> MailOut:
    """One mail with what is in it; raises NotFound. Who may read is the caller's to ask."""
    mail = await session.get(Mail, mail_id)
    if mail is None:
        raise NotFound(f"There is no mail {mail_id!r}.")
    return MailOut.model_validate(mail).model_copy(update={"body": _shown(settings, mail)})


def text_of(settings: Settings, mail: Mail) -> str:
    """What a mail says; nothing once it is blanked. Raises Unreadable after a change of the installation's secret."""
    return vault_of(settings).decrypt(mail.body, mail.id) if mail.body else ""


def _shown(settings: Settings, mail: Mail) -> str:
    if mail.expires_at is not None and mail.expires_at <= utc_now():
        return GONE
    try:
        return text_of(settings, mail)
    except Unreadable:
        return CLOSED


async def void(session: AsyncSession, kind: str, recipient: str) -> None:
    """A link of this kind is no longer good: take it out of the mails that are kept for this address."""
    mine = (Mail.kind == kind, Mail.recipient == recipient, Mail.state == "kept", Mail.body != "")
    await session.execute(update(Mail).where(*mine).values(body=""))


async def forget(session: AsyncSession, recipient: str) -> None:
    """Forget every mail to an address; what was not sent is not sent any more."""
    await session.execute(delete(Mail).where(Mail.recipient == recipient))


async def waits_since(session: AsyncSession) -> datetime | None:
    """Since when the oldest mail waits that should have been sent by now."""
    query = select(Mail.created_at).where(Mail.state == "waiting").order_by(Mail.id).limit(1)
    oldest = await session.scalar(query)
    return oldest if oldest is not None and oldest < utc_now() - LATE else None


async def tidy(session: AsyncSession) -> None:
    """Blank what has run out, give up what nobody tries any more, and forget what is a month old."""
    now = utc_now()
    await session.execute(update(Mail).where(Mail.expires_at <= now, Mail.body != "").values(body=""))
    stuck = and_(Mail.state == "waiting", Mail.created_at < now - GIVEN_UP_AFTER - timedelta(hours=2))
    given_up = {"state": "failed", "error": "It was not sent in time.", "body": ""}
    await session.execute(update(Mail).where(stuck).values(given_up))
    await session.execute(delete(Mail).where(Mail.created_at < now - KEPT_FOR))
