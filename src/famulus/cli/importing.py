"""Bringing people in from a file, and telling what became of its lines."""

from pathlib import Path

from famulus.campus.lookup import organization_by_name, principal_by_email
from famulus.campus.rosters import Wishes, import_people
from famulus.campus.schemas.people import Mode
from famulus.campus.schemas.rosters import ImportReport
from famulus.cli.work import with_database
from famulus.kernel.database import Database
from famulus.kernel.errors import ConfigurationError


def run_import(
    path: Path, organization: str, email: str | None, *, mode: Mode, dry_run: bool, update: bool
) -> bool:
    """Import a file and print its report; False when some of its lines failed."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}.") from error

    async def work(database: Database) -> ImportReport:
        async with database.read() as session:
            principal = await principal_by_email(session, email)
            place = await organization_by_name(session, principal, organization)
        wishes = Wishes(mode, dry_run, update)
        return await import_people(database, principal, place.id, data, wishes)

    report = with_database(work)
    for line in (*report.problems, *report.remarks):
        print(f"  line {line.line}, {line.who or '-'}: {line.detail}")
    print(
        f"{report.accounts} accounts, {report.memberships} memberships, {report.enrolments} enrolments,"
        f" {report.changes} changes of roles; {report.failed} of {report.lines} lines failed."
    )
    if not report.applied:
        print("Nothing was kept: this was a dry run." if dry_run else "Nothing was kept.")
    return not report.failed
