"""Mails: written down in the transaction that makes them necessary, sent afterwards by a job."""

from sqlalchemy.ext.asyncio import AsyncSession

from famulus.identity.models import Mail
from famulus.kernel.ids import new_id
from famulus.kernel.jobs import enqueue
from famulus.kernel.tables import utc_now

MAIL_JOB = "mail.send"


async def post(session: AsyncSession, recipient: str, subject: str, body: str, kind: str) -> None:
    """Have a mail sent once this transaction has committed."""
    mail = Mail(
        id=new_id("mal"),
        recipient=recipient,
        subject=subject,
        body=body,
        kind=kind,
        state="waiting",
        created_at=utc_now(),
    )
    session.add(mail)
    await session.flush()
    await enqueue(session, MAIL_JOB, {"mail_id": mail.id})
