"""What importing people takes and tells."""

from typing import Literal

from pydantic import BaseModel

from famulus.campus.schemas.people import Mode

Outcome = Literal[
    "created",
    "added",
    "enrolled",
    "changed",
    "unchanged",
    "invalid",
    "unknown_course",
    "archived_course",
    "not_verified",
    "not_a_teacher",
    "last_admin",
]
PROBLEMS = 1000
"""Lines that a report names."""


class LineReport(BaseModel):
    """A line that was not kept, or of which something was left as it was."""

    line: int
    """In the file, from 1; the header is one of them."""
    who: str
    outcome: Outcome
    detail: str


class ImportReport(BaseModel):
    """What an import did, or would have done."""

    applied: bool
    """Whether anything was kept."""
    dry_run: bool
    mode: Mode
    lines: int
    outcomes: dict[str, int]
    """Lines by what became of them; each counts once, as the most that it brought about."""
    accounts: int
    """Accounts that were made."""
    memberships: int
    enrolments: int
    changes: int
    """Roles that were changed."""
    failed: int
    problems: list[LineReport]
    """The lines that failed, the first 1,000 of them."""
    remarks: list[LineReport]
    """Lines that wish for another role than the person has, which only `update=true` gives; the first 1,000."""
