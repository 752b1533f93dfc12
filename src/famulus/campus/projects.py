"""Projects: the bodies of work of an organization, each with tracks of its own. Its admins make them, all in it see."""

from sqlalchemy.ext.asyncio import AsyncSession

from famulus.campus import access, archive
from famulus.campus.models import Organization, Project
from famulus.campus.names import order_by, write_named
from famulus.campus.schemas.places import NewProject, ProjectChange, ProjectFilters, ProjectOut
from famulus.identity import audit
from famulus.identity.principal import Principal
from famulus.kernel.errors import Conflict, FieldProblem, Invalid
from famulus.kernel.ids import new_id
from famulus.kernel.paging import Page, Paging, begins_with, page
from famulus.kernel.tables import utc_now
from famulus.kernel.text import fold


class ProjectNameTaken(Conflict):
    """The organization has a project of this name already; upper and lower case make no difference."""

    code = "project_name_taken"


async def list_projects(
    session: AsyncSession, principal: Principal, filters: ProjectFilters, paging: Paging
) -> Page[ProjectOut]:
    """The projects that this person sees."""
    query = access.visible(principal, Project).where(archive.on_shelf(Project, archived=filters.archived))
    if filters.organization_id is not None:
        query = query.where(Project.organization_id == filters.organization_id)
    if filters.q is not None:
        query = query.where(begins_with(Project.name_key, fold(filters.q)))
    by, descending = order_by(Project, filters.sort)
    found: Page[Project] = await page(session, query, by=by, paging=paging, descending=descending)
    return found.map(ProjectOut.model_validate)


async def first_projects(session: AsyncSession, principal: Principal, limit: int) -> list[str]:
    """The names of the first projects, by name, that are in use and that this person sees."""
    query = access.visible(principal, Project).where(archive.on_shelf(Project, archived=False))
    names = query.with_only_columns(Project.name).order_by(Project.name_key, Project.id).limit(limit)
    return list(await session.scalars(names))


async def get_project(session: AsyncSession, principal: Principal, project_id: str) -> ProjectOut:
    """One project; raises NotFound."""
    return ProjectOut.model_validate(await access.find(session, principal, Project, project_id))


async def create_project(session: AsyncSession, principal: Principal, new: NewProject) -> ProjectOut:
    """A new project in the active organization, or wherever a site admin says.

    Raises NotFound, Forbidden, Archived, ProjectNameTaken, or Invalid when nothing says where.
    """
    organization_id = new.organization_id or principal.organization_id
    if organization_id is None:
        raise Invalid(fields=(FieldProblem("organization_id", "Say in which organization."),))
    organization = await access.find(session, principal, Organization, organization_id)
    await access.require(session, principal, "create", organization, "project")
    archive.require_in_use(organization, organization.name)
    now = utc_now()
    project = Project(
        id=new_id("prj"),
        organization_id=organization.id,
        name=new.name,
        description=new.description,
        created_at=now,
        updated_at=now,
    )
    session.add(project)
    await write_named(session, project, ProjectNameTaken)
    after = {"name": new.name, "description": new.description}
    audit.record(session, principal, "project.create", _thing(project), after=after)
    return ProjectOut.model_validate(project)


async def change_project(
    session: AsyncSession, principal: Principal, project_id: str, change: ProjectChange
) -> ProjectOut:
    """Change what is given. Raises NotFound, Forbidden or ProjectNameTaken."""
    project = await access.find(session, principal, Project, project_id)
    await access.require(session, principal, "change", project)
    before, after = audit.change(project, change.given())
    if after:
        await write_named(session, project, ProjectNameTaken)
        audit.record(session, principal, "project.change", _thing(project), before=before, after=after)
    return ProjectOut.model_validate(project)


async def archive_project(
    session: AsyncSession, principal: Principal, project_id: str, *, away: bool = True
) -> ProjectOut:
    """Put a project away, its tracks with it, or take it out again; its courses stay. Raises NotFound or Forbidden."""
    project = await access.find(session, principal, Project, project_id)
    await access.require(session, principal, "archive", project)
    await archive.put_away(session, principal, project, _thing(project), away=away)
    return ProjectOut.model_validate(project)


def _thing(project: Project) -> audit.Thing:
    return audit.Thing(project.id, project.name, project.organization_id)
