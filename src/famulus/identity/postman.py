"""The postman: hands the mails of the outbox to an SMTP server, one job a mail.

A server that is away is asked again, after pauses that grow with the age of the mail; one that refuses a recipient for
good is taken at its word. A worker that dies between the server's yes and our note of it sends twice: both carry one
Message-ID.
"""

import ssl
import time
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr

import aiosmtplib
import structlog
from sqlalchemy import update

from famulus.identity.mails import GIVEN_UP_AFTER, text_of
from famulus.identity.models import Mail
from famulus.kernel.database import Database
from famulus.kernel.jobs import Later, Payload
from famulus.kernel.secrets import Unreadable
from famulus.kernel.settings import Settings
from famulus.kernel.tables import utc_now

SHORTEST_PAUSE, LONGEST_PAUSE = 2.0, 900.0
REST = 10.0
"""Seconds for which a server that did not answer is left in peace by the mails behind."""
FOR_GOOD = 500
log = structlog.get_logger(__name__)


class _Refused(Exception):
    """The server will never take this mail."""


class Postman:
    """Sends by the settings' server. One per application."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings
        self._resting_until = 0.0

    async def handle(self, payload: Payload) -> None:
        """Send one mail; raises Later while the server does not take it."""
        async with self._database.read() as session:
            mail = await session.get(Mail, str(payload["mail_id"]))
        if mail is None or mail.state != "waiting":
            return
        if (resting := self._resting_until - time.monotonic()) > 0:
            raise Later(resting)
        try:
            await self._deliver(mail)
        except (_Refused, Unreadable) as error:
            await self._note(mail.id, "failed", str(error))
        except (aiosmtplib.SMTPException, OSError) as error:
            await self._later(mail, error)
        else:
            await self._note(mail.id, "sent", None)

    async def _deliver(self, mail: Mail) -> None:
        try:
            message = compose(mail, self._settings)
            async with connection(self._settings) as server:
                await server.send_message(message)
        except aiosmtplib.SMTPRecipientsRefused as error:
            if all(each.code >= FOR_GOOD for each in error.recipients):
                raise _Refused(
                    "; ".join(f"{each.code} {each.message}" for each in error.recipients)
                ) from error
            raise
        except aiosmtplib.SMTPDataError as error:
            if error.code >= FOR_GOOD:
                raise _Refused(f"{error.code} {error.message}") from error
            raise
        except (aiosmtplib.SMTPNotSupported, ValueError) as error:
            raise _Refused(f"{type(error).__name__}: {error}") from error

    async def _later(self, mail: Mail, error: Exception) -> None:
        said = f"{type(error).__name__}: {error}"
        age = utc_now() - mail.created_at
        if age > GIVEN_UP_AFTER or (mail.expires_at is not None and mail.expires_at <= utc_now()):
            await self._note(mail.id, "failed", said)
            return
        await self._note(mail.id, "waiting", said)
        log.warning("mail_not_sent", mail_id=mail.id, error=said)
        pause = min(max(SHORTEST_PAUSE, age.total_seconds() / 2), LONGEST_PAUSE)
        if isinstance(error, (OSError, aiosmtplib.SMTPConnectError, aiosmtplib.SMTPTimeoutError)):
            self._resting_until = time.monotonic() + min(REST, pause)
        raise Later(pause)

    async def _note(self, mail_id: str, state: str, error: str | None) -> None:
        values: dict[str, object] = {"state": state, "error": error and error.replace("\0", "")[:1000]}
        if state != "waiting":
            values["body"] = ""  # whoever reads the table later finds no link
        if state == "sent":
            values["sent_at"] = utc_now()
        async with self._database.write() as session:
            await session.execute(update(Mail).where(Mail.id == mail_id).values(values))
        if state != "waiting":
            log.info("mail_settled", mail_id=mail_id, state=state)


def connection(settings: Settings) -> aiosmtplib.SMTP:
    """A connection to the settings' server, to be entered; it is encrypted and signed in when that is done."""
    password = settings.smtp_password.get_secret_value() if settings.smtp_password else None
    encrypted = settings.smtp_tls != "none"
    return aiosmtplib.SMTP(
        hostname=settings.smtp_host,
        port=settings.smtp_port,
        username=settings.smtp_user,
        password=password,
        timeout=settings.smtp_timeout,
        use_tls=settings.smtp_tls == "tls",
        start_tls=settings.smtp_tls == "starttls",
        tls_context=ssl.create_default_context() if encrypted else None,
    )


async def trouble(settings: Settings) -> str | None:
    """Why the settings' server would take no mail now: it is asked, and let go without one."""
    try:
        async with connection(settings):
            return None
    except (aiosmtplib.SMTPException, OSError) as error:
        return f"{type(error).__name__}: {error}"


def compose(mail: Mail, settings: Settings) -> EmailMessage:
    """The mail as it goes over the wire; raises ValueError for what can be no header, or Unreadable."""
    message = EmailMessage(policy=SMTP)
    sender = settings.mail_from or ""
    message["From"] = sender
    message["To"] = mail.recipient
    message["Subject"] = mail.subject
    message["Date"] = format_datetime(mail.created_at)
    message["Message-ID"] = f"<{mail.id}@{parseaddr(sender)[1].rpartition('@')[2] or 'famulus.local'}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text_of(settings, mail))
    message["Content-Language"] = mail.language  # setting the content removes what said something of it
    return message
