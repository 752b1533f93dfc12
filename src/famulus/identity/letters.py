"""What mails say, in the language of whoever reads them; what has no translation is in English.

But for an invitation, which names who invites, nothing that somebody typed stands in them, so that nobody can have us
send their words. The address a letter goes to may be of somebody who never heard of this server; each says what to do
then.
"""

import tomllib
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Literal

Kind = Literal["verify", "change", "reset", "moved", "invitation"]
LANGUAGES = ("en", "de", "fr", "es")
"""Those that there are texts in, a file each; the first stands in for every other."""
PAGES: dict[Kind, str] = {
    "verify": "verify", "change": "verify", "reset": "reset", "invitation": "invitation"
}  # fmt: skip
"""The pages of the web app that their links lead to."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail to be written."""

    kind: str
    subject: str
    text: str
    link: str | None = None
    """The link that stands in it, if any."""
    expires_at: datetime | None = None
    """When the link is no longer good."""
    language: str = LANGUAGES[0]
    """What it is written in."""


def language_of(locale: str) -> str:
    """The language to write in to somebody with this locale: `de` for `de-AT`, `en` where there are no texts."""
    language = locale.partition("-")[0].lower()
    return language if language in LANGUAGES else LANGUAGES[0]


@cache
def texts(language: str) -> dict[str, dict[str, str]]:
    """What stands in the file of a language: of each kind its `subject` and `text`, and the words for `roles`."""
    file = files("famulus.identity").joinpath("languages", f"{language}.toml")
    return tomllib.loads(file.read_text("utf-8"))


def letter(
    kind: Kind,
    locale: str,
    *,
    site: str,
    token: str = "",
    expires_at: datetime | None = None,
    role: str = "",
    **words: str,
) -> Letter:
    """A letter of a kind, to somebody with this locale; `site` is the server's address, `words` what else it needs."""
    language = language_of(locale)
    found = texts(language)
    link = f"{site}/{PAGES[kind]}?token={token}" if kind in PAGES else None
    given = {"site": site, "link": link, "role": found["roles"].get(role, role), **words}
    subject, text = (found[kind][part].format(**given).strip() for part in ("subject", "text"))
    return Letter(kind, subject, text, link, expires_at, language)
