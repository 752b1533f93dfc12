"""Sources that are read again and again: made, changed, asked to run, by whoever may, and each written down."""

from cronsim import CronSim, CronSimError
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.campus.access import require_in, require_site_admin
from famulus.campus.courses import course_card
from famulus.identity import audit
from famulus.identity.principal import Principal
from famulus.kernel.duplicates import duplicates_are
from famulus.kernel.errors import FieldProblem, Invalid, NotFound
from famulus.kernel.ids import new_id
from famulus.kernel.settings import Settings
from famulus.kernel.tables import utc_now
from famulus.knowledge.errors import LessonsSource, SourceExists, SourceFixed
from famulus.knowledge.jobs import ask_for, plan
from famulus.knowledge.models import Source
from famulus.knowledge.places import OUTSIDE, is_outside, on_server
from famulus.knowledge.source_schemas import NewSource, SourceChange
from famulus.knowledge.sources import get_source, thing_of

OPTIONS = ("include", "exclude", "ref", "urls")


async def create_source(
    session: AsyncSession, principal: Principal, settings: Settings, new: NewSource
) -> Source:
    """Make a source, which is read at once in the background.

    Raises NotFound, Forbidden, Invalid for a place that may not be read, `SourceExists`.
    """
    organization_id = new.organization_id
    if new.course_id is not None:
        organization_id = (await course_card(session, principal, new.course_id)).organization_id
        if new.organization_id not in (None, organization_id):
            raise NotFound("The course is in no such organization; leave out organization_id.")
    await require_in(
        session,
        principal,
        "create",
        thing_of(organization_id, new.course_id),
        organization_id=organization_id,
        course_id=new.course_id,
    )
    _check_place(principal, settings, new)
    _check_schedule(new.schedule)
    source = _fresh(new, organization_id)
    session.add(source)
    with duplicates_are(SourceExists()):
        await session.flush()
    after = {"kind": new.kind, "location": source.location, "course_id": new.course_id}
    audit.record(
        session, principal, "source.create", audit.Thing(source.id, source.name, organization_id), after=after
    )
    await ask_for(session, source.id)
    await plan(session, source)
    await session.refresh(source)
    return source


def _fresh(new: NewSource, organization_id: str | None) -> Source:
    now = utc_now()
    return Source(
        id=new_id("src"),
        organization_id=organization_id,
        course_id=new.course_id,
        kind=new.kind,
        name=new.name,
        location=new.location if new.kind != "urls" else new.name,
        state="waiting",
        settings={name: getattr(new, name) for name in OPTIONS if getattr(new, name)},
        schedule=new.schedule,
        created_at=now,
        updated_at=now,
    )


async def change_source(session: AsyncSession, principal: Principal, id: str, change: SourceChange) -> Source:
    """Change what a source is called, what of it is read, and when. Raises as `create_source` does."""
    source = await _to_change(session, principal, id)
    given = change.given()
    _check_schedule(change.schedule)
    options = {name: given.pop(name) for name in OPTIONS if name in given}
    settings = {name: value for name, value in {**source.settings, **options}.items() if value}
    before, after = audit.change(source, {**given, "settings": settings})
    if not after:
        return source
    source.state, source.updated_at = "waiting", utc_now()
    audit.record(
        session, principal, "source.change", audit.Thing(id, source.name, source.organization_id),
        before=before, after=after,
    )  # fmt: skip
    await ask_for(session, id)
    await plan(session, source)
    await session.flush()
    return source


async def run_source(
    session: AsyncSession, principal: Principal, id: str, *, thorough: bool = False
) -> Source:
    """Have a source read now, once however often it is asked for before it begins. Raises `SourceFixed` as well.

    `thorough`: inside every file, whatever its size and times say.
    """
    source = await _to_change(session, principal, id)
    source.state, source.updated_at = "waiting", utc_now()
    audit.record(session, principal, "source.run", audit.Thing(id, source.name, source.organization_id))
    await session.flush()
    await ask_for(session, id, thorough=thorough)
    return source


async def _to_change(session: AsyncSession, principal: Principal, id: str) -> Source:
    source = await get_source(session, principal, id)
    await require_in(
        session,
        principal,
        "change",
        thing_of(source.organization_id, source.course_id),
        organization_id=source.organization_id,
        course_id=source.course_id,
    )
    if source.kind == "lessons":
        raise LessonsSource()
    if on_server(source.kind, source.location):
        require_site_admin(principal, "change", "source on the server")
    if source.kind == "upload" or (source.kind == "openapi" and not source.location.startswith("http")):
        raise SourceFixed()
    return source


def _check_place(principal: Principal, settings: Settings, new: NewSource) -> None:
    """A folder of this machine is for site admins to name, and for the operator to allow."""
    if on_server(new.kind, new.location):
        require_site_admin(principal, "create", "source on the server")
    if is_outside(new.kind, new.location, settings.source_folders):
        raise Invalid(fields=(FieldProblem("location", OUTSIDE),))


def _check_schedule(schedule: str | None) -> None:
    if schedule is None:
        return
    try:
        CronSim(schedule, utc_now())
    except CronSimError as error:
        raise Invalid(
            fields=(FieldProblem("schedule", f"This is no schedule of cron ({error}); such as `0 4 * * *`."),)
        ) from error
    if len(schedule.split()) != 5:
        raise Invalid(fields=(FieldProblem("schedule", "A schedule has five fields, such as `0 4 * * *`."),))
