"""Mails in every language: the same letters with the same places to fill, and English where there is no translation."""

from datetime import timedelta
from string import Formatter

import pytest
from sqlalchemy import select

from famulus.identity.accounts import create_account
from famulus.identity.letters import LANGUAGES, PAGES, language_of, letter, texts
from famulus.identity.models import Mail
from famulus.identity.postman import compose
from famulus.identity.recovery import Forgotten, send_verification
from famulus.kernel.database import Database
from famulus.kernel.settings import load_settings
from famulus.kernel.tables import utc_now

WORDS = {"name": " Ada {x}", "inviter": "Bo", "organization": "North", "role": "teacher"}


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_says_all_of_it(language: str) -> None:
    wanted, found = texts("en"), texts(language)
    assert found.keys() == wanted.keys()
    for kind, parts in wanted.items():
        assert found[kind].keys() == parts.keys(), kind
        for part, said in parts.items():
            assert places(found[kind][part]) == places(said), (kind, part)
    for kind in ("verify", "change", "reset", "moved", "invitation"):
        given = letter(kind, language, site="https://x.test", token="t0k", expires_at=utc_now(), **WORDS)
        assert given.language == language
        assert len(given.subject) < 78
        assert (f"https://x.test/{PAGES[kind]}?token=t0k" in given.text) if kind in PAGES else not given.link


@pytest.mark.parametrize(
    ("locale", "language"),
    [
        ("de", "de"),
        ("de-AT", "de"),
        ("FR-ca", "fr"),
        ("pt-BR", "en"),
        ("x", "en"),
        ("", "en"),
        ("../en", "en"),
    ],
)
def test_what_has_no_translation_is_english(locale: str, language: str) -> None:
    assert language_of(locale) == language


@pytest.mark.parametrize(("locale", "subject"), [("es-MX", "Confirme"), ("nl", "Confirm your")])
async def test_a_mail_says_its_language(database: Database, locale: str, subject: str) -> None:
    settings = load_settings(smtp_host="127.0.0.1", mail_from="Famulus <famulus@famulus.local>")
    async with database.write() as session:
        ada = await create_account(
            session, email="ada@famulus.local", name="Ada", password_hash=None, locale=locale
        )
        await send_verification(session, settings, ada)
    await Forgotten(database, settings).handle({"email": "ada@famulus.local"})
    async with database.read() as session:
        mails = list(await session.scalars(select(Mail).order_by(Mail.id)))
    assert [mail.kind for mail in mails] == ["verify", "reset"]
    for mail in mails:
        message = compose(mail, settings)
        assert message["Content-Language"] == mail.language == language_of(locale)
        assert message.get_content().rstrip() != ""
        assert mail.expires_at is not None
        assert mail.expires_at > utc_now() + timedelta(minutes=50)
    assert mails[0].subject.startswith(subject)
