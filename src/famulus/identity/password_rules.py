"""What a password may not be: one of the first that anybody would try. How long it is stands in the schemas."""

import unicodedata
from functools import cache
from pathlib import Path

COMMON = Path(__file__).parent / "common_passwords.txt"


def objection(password: str, *, email: str, name: str, strict: bool) -> str | None:
    """Why this password may not be chosen, as a sentence; None for one that may.

    `strict` refuses the commonest as well; somebody's own machine may have an easy one.
    """
    folded = _folded(password)
    local_part = email.partition("@")[0]
    if folded in (_folded(email), _folded(local_part), _folded(name)):
        return "Choose a password that is not your name or your address."
    if strict and folded in _common():
        return "This is among the passwords that are tried first; choose another."
    return None


@cache
def _common() -> frozenset[str]:
    return frozenset(_folded(line) for line in COMMON.read_text("utf-8").splitlines())


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold().strip()
