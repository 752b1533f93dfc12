"""What identity tells the rooms above, after the commit that made it true."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SignedOut:
    """A session has ended: signed out, or revoked: by its owner, with its account, or for a spent token."""

    session_id: str


@dataclass(frozen=True, slots=True)
class AccountChanged:
    """What is known of an account is no longer as it was; a suspended one is refused from now on."""

    user_id: str
    changed: tuple[str, ...] = ()
    """Which of its fields."""
