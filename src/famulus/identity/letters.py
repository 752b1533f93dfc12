"""What mails say. Nothing that somebody typed stands in them, so that nobody can have us send their words.

The address a letter goes to may be of somebody who never heard of this server; each says what to do then.
"""

from dataclasses import dataclass
from datetime import datetime


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


def verification(base_url: str, token: str, expires_at: datetime) -> Letter:
    """To whoever gave this address for an account."""
    link = f"{base_url}/verify?token={token}"
    text = (
        f"This address was given for an account at {base_url}.\n\n"
        f"If that was you, open this link within a day to confirm that the address is yours:\n\n{link}\n\n"
        "If it was not you, there is nothing to do: without the link the address stays unconfirmed."
    )
    return Letter("verify", "Confirm your e-mail address", text, link, expires_at)


def new_address(base_url: str, token: str, expires_at: datetime) -> Letter:
    """To the address that somebody wants to have from now on."""
    link = f"{base_url}/verify?token={token}"
    text = (
        f"Somebody wants to use this address for their account at {base_url} from now on.\n\n"
        f"If that was you, open this link within a day:\n\n{link}\n\n"
        "If it was not you, there is nothing to do: without the link nothing changes."
    )
    return Letter("change", "Confirm your new e-mail address", text, link, expires_at)


def reset(base_url: str, token: str, expires_at: datetime) -> Letter:
    """To whoever has forgotten a password, or somebody else who says so."""
    link = f"{base_url}/reset?token={token}"
    text = (
        f"Somebody asked to set a new password for your account at {base_url}.\n\n"
        f"If that was you, open this link within an hour. It works once:\n\n{link}\n\n"
        "If it was not you, there is nothing to do: your password stays as it is."
    )
    return Letter("reset", "Set a new password", text, link, expires_at)


def moved(base_url: str) -> Letter:
    """To the address that an account had until now."""
    text = (
        f"Your account at {base_url} has another e-mail address from now on; this one no longer belongs to it.\n\n"
        "If it was not you who changed it, tell an administrator of the site at once."
    )
    return Letter("moved", "Your e-mail address was changed", text)
