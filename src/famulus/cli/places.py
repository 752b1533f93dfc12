"""Commands for organizations, as the person whom `--as` names, or the site's first admin."""

from pydantic import ValidationError

from famulus.campus import organizations
from famulus.campus.lookup import organization_by_name, principal_by_email
from famulus.campus.schemas.organizations import NewOrganization
from famulus.campus.schemas.places import NameFilters
from famulus.cli.work import with_database
from famulus.kernel.database import Database
from famulus.kernel.errors import FieldProblem, Invalid
from famulus.kernel.paging import MAX_LIMIT, Paging


def run_organization_create(name: str, email: str | None) -> str:
    """Create an organization; returns its id. Raises Invalid, Forbidden or OrganizationNameTaken."""
    try:
        new = NewOrganization(name=name)
    except ValidationError as error:
        problems = tuple(FieldProblem("name", item["msg"]) for item in error.errors())
        raise Invalid("There can be no such organization.", fields=problems) from error

    async def work(database: Database) -> str:
        async with database.write() as session:
            principal = await principal_by_email(session, email)
            return (await organizations.create_organization(session, principal, new)).id

    return with_database(work)


def run_organization_list(archived: bool, email: str | None) -> None:
    """Print every organization that the person sees."""

    async def work(database: Database) -> None:
        filters, after = NameFilters(archived=archived), None
        while True:
            async with database.read() as session:
                principal = await principal_by_email(session, email)
                paging = Paging(MAX_LIMIT, after)
                found = await organizations.list_organizations(session, principal, filters, paging)
            for one in found.items:
                print(f"{one.id}  {one.name}")
            after = found.next
            if after is None:
                return

    with_database(work)


def run_organization_archive(name: str, restore: bool, email: str | None) -> str:
    """Archive or restore an organization; returns what was done. Raises NotFound, Ambiguous or Forbidden."""

    async def work(database: Database) -> str:
        async with database.write() as session:
            principal = await principal_by_email(session, email)
            found = await organization_by_name(session, principal, name)
            await organizations.archive_organization(session, principal, found.id, away=not restore)
        return found.name

    done = with_database(work)
    return f"{done} is in use again." if restore else f"{done} is archived; take it out again with --restore."
