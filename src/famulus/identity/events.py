"""What identity tells the rooms above, after the commit that made it true."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SignedOut:
    """A session has ended: signed out, or revoked because a spent token was shown again."""

    session_id: str


@dataclass(frozen=True, slots=True)
class AccountChanged:
    """What is known of an account is no longer as it was; a suspended one is refused from now on."""

    user_id: str
