"""Mails by a real SMTP server: delivered, refused, put off while it is away, encrypted; and kept where there is none."""

import asyncio
import ipaddress
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from sqlalchemy import select, text, update

from famulus.identity import mails, postman
from famulus.identity.letters import Letter
from famulus.identity.mails import MAIL_JOB
from famulus.identity.models import Mail
from famulus.identity.postman import Postman
from famulus.identity.tidying import Tidying
from famulus.kernel.database import Database
from famulus.kernel.errors import ConfigurationError
from famulus.kernel.jobs import Worker
from famulus.kernel.settings import Settings, load_settings
from famulus.kernel.tables import utc_now
from tests.support.mail_server import free_port, mail_server
from tests.support.waiting import until

ADA = "ada@famulus.local"
LINK = "http://famulus.test/reset?token=a-token"
SECRET = "q9Zt4vXw7Lr2Bn8Km5Hj3Gf6Ds1Pa0YcUe"
SENDER = "Famulus <famulus@famulus.local>"


def letter(subject: str = "Set a new password") -> Letter:
    return Letter("reset", subject, f"Open this:\n\n{LINK}", LINK, utc_now() + timedelta(hours=1))


def settings_for(port: int, **more: object) -> Settings:
    given: dict[str, object] = {
        "smtp_host": "127.0.0.1", "smtp_port": port, "smtp_tls": "none", "mail_from": SENDER, "smtp_timeout": 5,
    }  # fmt: skip
    return load_settings(**(given | more))


@asynccontextmanager
async def working(database: Database, settings: Settings) -> AsyncIterator[None]:
    """A worker that sends mails."""
    worker = Worker(database, {MAIL_JOB: Postman(database, settings).handle}, "test", poll=0.05)
    await worker.start()
    try:
        yield
    finally:
        await worker.stop()


async def put(database: Database, settings: Settings, to: str = ADA, given: Letter | None = None) -> None:
    async with database.write() as session:
        await mails.put(session, settings, given or letter(), to=to)


async def row(database: Database) -> Mail:
    async with database.read() as session:
        return (await session.scalars(select(Mail).order_by(Mail.id.desc()).limit(1))).one()


def in_state(database: Database, state: str) -> Callable[[], object]:
    async def reached() -> bool:
        return (await row(database)).state == state

    return reached


async def test_a_mail_is_delivered_and_leaves_nothing_to_read(database: Database) -> None:
    with mail_server() as boxes:
        settings = settings_for(boxes.port)
        async with working(database, settings):
            await put(database, settings)
            await until(in_state(database, "sent"))
    (arrived,) = boxes.arrived
    mail = await row(database)
    assert boxes.recipients == [ADA]
    assert (arrived["From"], arrived["To"], arrived["Subject"]) == (SENDER, ADA, "Set a new password")
    assert LINK in arrived.get_content()
    assert mail.id in arrived["Message-ID"]
    assert (mail.body, mail.error) == ("", None)
    assert mail.sent_at is not None


async def test_a_mail_of_a_transaction_that_fails_never_goes_out(database: Database) -> None:
    with mail_server() as boxes:
        settings = settings_for(boxes.port)
        async with working(database, settings):
            with pytest.raises(ZeroDivisionError):
                async with database.write() as session:
                    await mails.put(session, settings, letter(), to="b@famulus.local")
                    raise ZeroDivisionError
            await put(database, settings)
            await until(in_state(database, "sent"))
    assert boxes.recipients == [ADA]


async def test_a_recipient_that_is_refused_for_good_is_not_tried_again(database: Database) -> None:
    with mail_server() as boxes:
        boxes.refused[ADA] = "550 5.1.1 No such person here"
        settings = settings_for(boxes.port)
        async with working(database, settings):
            await put(database, settings)
            await until(in_state(database, "failed"))
    mail = await row(database)
    assert "550" in (mail.error or "")
    assert "No such person" in (mail.error or "")
    assert mail.body == ""
    assert boxes.arrived == []


async def test_a_recipient_that_is_refused_for_now_is_tried_again(database: Database) -> None:
    with mail_server() as boxes:
        boxes.refused[ADA] = "450 Come back later"
        settings = settings_for(boxes.port)
        async with working(database, settings):
            await put(database, settings)
            await until(lambda: _failed_once(database))
            assert (await row(database)).state == "waiting"
            boxes.refused.clear()
            await until(in_state(database, "sent"))
    assert len(boxes.arrived) == 1


async def test_a_server_that_comes_back_gets_what_waited(database: Database) -> None:
    settings = settings_for(free_port())
    async with working(database, settings):
        await put(database, settings)
        await until(lambda: _failed_once(database))
        with mail_server(settings.smtp_port) as boxes:
            await until(in_state(database, "sent"))
    assert boxes.recipients == [ADA]


async def _failed_once(database: Database) -> bool:
    return (await row(database)).error is not None


async def test_a_server_that_stays_away_is_given_up_after_a_day(database: Database) -> None:
    settings = settings_for(free_port())
    await put(database, settings)
    mail = await row(database)
    async with database.write() as session:
        await session.execute(update(Mail).values(created_at=utc_now() - timedelta(days=1, minutes=1)))

    await Postman(database, settings).handle({"mail_id": mail.id})

    assert (await row(database)).state == "failed"
    assert (await row(database)).body == ""


def certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """A certificate for this machine that vouches for itself, and a server's side of it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    public, private = folder / "cert.pem", folder / "key.pem"
    public.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    return public, context


async def test_starttls_encrypts_and_asks_who_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database: Database
) -> None:
    public, context = certificate(tmp_path)
    with mail_server(tls=context) as boxes:
        settings = settings_for(boxes.port, smtp_tls="starttls")
        assert "certificate" in (await postman.trouble(settings) or "").lower(), "nobody vouches for it yet"
        monkeypatch.setenv("SSL_CERT_FILE", str(public))
        assert await postman.trouble(settings) is None
        async with working(database, settings):
            await put(database, settings)
            await until(in_state(database, "sent"))
        plain = await postman.trouble(settings_for(boxes.port, smtp_user="x", smtp_password="y"))
        assert plain is not None, "a password is not sent in the clear to a server that demands STARTTLS"
    assert boxes.encrypted == [True]


@pytest.mark.parametrize(
    "subject", ["Hello\r\nBcc: eve@famulus.local", "Hello\nX-Evil: 1", "Hello\r\n\r\nBody"]
)
async def test_nothing_that_is_typed_becomes_a_header(database: Database, subject: str) -> None:
    with mail_server() as boxes:
        settings = settings_for(boxes.port)
        async with working(database, settings):
            await put(database, settings, given=letter(subject))
            await until(in_state(database, "sent"))
    (arrived,) = boxes.arrived
    assert boxes.recipients == [ADA]
    assert arrived["Bcc"] is None
    assert arrived["X-Evil"] is None
    assert arrived["Subject"] == " ".join(subject.split())


async def test_an_address_that_would_be_two_is_refused(database: Database) -> None:
    """No such address gets through `normal_email`; should one ever, it is no header either."""
    with mail_server() as boxes:
        settings = settings_for(boxes.port)
        async with working(database, settings):
            await put(database, settings, to="ada@famulus.local\r\nBcc: eve@famulus.local")
            await until(in_state(database, "failed"))
    assert boxes.arrived == []


async def test_without_a_server_mails_are_kept_until_their_link_has_run_out(database: Database) -> None:
    settings = load_settings()
    await put(database, settings)
    mail = await row(database)
    assert (mail.state, LINK in mails.text_of(settings, mail)) == ("kept", True)
    async with database.write() as session:
        await session.execute(update(Mail).values(expires_at=utc_now()))
    async with database.read() as session:
        assert LINK not in (await mails.get_mail(session, settings, mail.id)).body

    await Tidying(database).handle({})

    assert (await row(database)).body == ""


@pytest.mark.parametrize("smtp", [False, True])
async def test_no_link_stands_in_the_database_in_plain_text(database: Database, smtp: bool) -> None:
    """Neither in a mail that is kept, nor in one that waits, nor in the job that sends it."""
    settings = settings_for(free_port()) if smtp else load_settings()
    await put(database, settings)
    mail = await row(database)
    async with database.read() as session:
        jobs = (await session.execute(text("SELECT * FROM jobs"))).all()
        shown = await mails.get_mail(session, settings, mail.id)

    assert (mail.state, len(jobs)) == (("waiting", 1) if smtp else ("kept", 0))
    assert LINK in shown.body
    for told in (mail.body, mail.subject, str(jobs)):
        assert "a-token" not in told
        assert "http" not in told


async def test_after_another_secret_a_mail_says_that_it_is_closed(database: Database) -> None:
    settings = settings_for(free_port())
    await put(database, settings)
    mail, other = await row(database), settings_for(free_port(), secret_key=SECRET)
    async with database.read() as session:
        shown = await mails.get_mail(session, other, mail.id)
    await Postman(database, other).handle({"mail_id": mail.id})
    failed = await row(database)

    assert "FAMULUS_SECRET_KEY was changed" in shown.body
    assert (failed.state, failed.body) == ("failed", "")
    assert "FAMULUS_SECRET_KEY" in (failed.error or "")


async def test_a_body_opens_in_its_own_mail_alone(database: Database) -> None:
    """Whoever can write into the table does not have one person's link sent to another."""
    settings = load_settings()
    await put(database, settings)
    body = (await row(database)).body
    await put(database, settings, to="eve@famulus.local")
    async with database.write() as session:
        await session.execute(update(Mail).where(Mail.recipient == "eve@famulus.local").values(body=body))
        [eves] = await session.scalars(select(Mail.id).where(Mail.recipient == "eve@famulus.local"))
        assert LINK not in (await mails.get_mail(session, settings, eves)).body


async def test_links_are_logged_on_ones_own_machine_only(
    database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    await put(database, load_settings())
    assert LINK in "".join(capsys.readouterr())
    await put(database, load_settings(environment="production", secret_key=SECRET))
    assert "a-token" not in "".join(capsys.readouterr())


async def test_many_mails_do_not_queue_up_before_a_dead_server(database: Database) -> None:
    """One finds out; the others are put off without asking, so that other jobs are not held up."""
    settings = settings_for(free_port())
    man = Postman(database, settings)
    for n in range(20):
        await put(database, settings, to=f"a{n}@famulus.local")
    async with database.read() as session:
        ids = list(await session.scalars(select(Mail.id)))
    await asyncio.gather(*(man.handle({"mail_id": id}) for id in ids[:1]), return_exceptions=True)
    results = await asyncio.gather(*(man.handle({"mail_id": id}) for id in ids[1:]), return_exceptions=True)
    assert all(type(result).__name__ == "Later" for result in results)
    async with database.read() as session:
        tried = list(await session.scalars(select(Mail.id).where(Mail.error.is_not(None))))
    assert tried == ids[:1]


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"smtp_host": "mail.local"}, "MAIL_FROM"),
        ({"smtp_host": "mail.local", "mail_from": "nobody"}, "MAIL_FROM"),
        ({"smtp_host": "mail.local", "mail_from": "a@b.local\nBcc: c@d.local"}, "MAIL_FROM"),
        ({"smtp_host": "mail.local", "mail_from": "a@b.local", "environment": "production"}, "PUBLIC_URL"),
    ],
)
def test_settings_that_cannot_work_are_named(given: dict[str, object], named: str) -> None:
    with pytest.raises(ConfigurationError, match=named):
        load_settings(**given)
