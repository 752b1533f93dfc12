"""A small application of the lower rooms alone, and a little world of two tenants for it to serve."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import cache
from time import monotonic

from fastapi import APIRouter, FastAPI
from httpx2 import ASGITransport, AsyncClient, Response
from sqlalchemy import Table, insert, select
from starlette.datastructures import State

from famulus.campus import courses, enrolments, lessons, memberships, organizations
from famulus.campus.models import CourseRole, MemberRole
from famulus.campus.presence import principal_of
from famulus.campus.schemas.courses import CourseChange, NewCourse, NewLesson
from famulus.campus.schemas.organizations import NewOrganization
from famulus.campus.schemas.people import NewEnrolment, NewMember
from famulus.doors import problems
from famulus.doors.authenticator import Authenticator
from famulus.identity.accounts import Account, create_account
from famulus.identity.foreign import ForeignTokens
from famulus.identity.gate import Gate
from famulus.identity.oidc import Providers
from famulus.identity.principal import Principal
from famulus.identity.sessions import SignedIn, choose_organization, open_session
from famulus.kernel.database import Database
from famulus.kernel.http import Outbound
from famulus.kernel.secrets import Vault
from famulus.kernel.settings import Settings, load_settings
from famulus.kernel.tables import Base
from famulus.tools.connections import Connections
from famulus.tools.kinds import every_kind

FRESH = 1200.0
"""Seconds for which a built world is used again; a sign-in lasts an hour."""
SITE = Principal(user_id="usr_nobody", name="Site", email="site@famulus.local", role="site_admin")


@asynccontextmanager
async def serving(
    database: Database, *routers: APIRouter, settings: Settings | None = None, **parts: object
) -> AsyncIterator[AsyncClient]:
    """A client of an application that has these routers, and other parts where they look for them."""
    app, gate = _application(routers), Gate(strict=False)
    for name, part in parts.items():
        setattr(app.state, name, part)
    app.state.database = database
    app.state.settings = settings or _usual()
    app.state.gate = gate
    hosts = app.state.settings.allowed_private_hosts
    outbound = Outbound(hosts)
    foreign = ForeignTokens(app.state.settings.trusted_issuers, outbound, plain_hosts=hosts)
    vault = Vault(b"a secret of the tests, 32 bytes long")
    app.state.providers = Providers(foreign, vault)
    app.state.authenticator = Authenticator(database, app.state.settings, database.bus, foreign, vault=vault)
    app.state.connections = Connections(database, vault, every_kind(vault, outbound))
    try:
        async with AsyncClient(transport=ASGITransport(app=app), base_url="http://famulus.test") as client:
            yield client
    finally:
        await app.state.authenticator.close()
        await outbound.close()
        gate.close()
        app.state = State()
        _idle.setdefault(tuple(map(id, routers)), []).append(app)


@cache
def _usual() -> Settings:
    """Those of nothing given: they cannot change, and to read them took more than most requests."""
    return load_settings()


_idle: dict[tuple[int, ...], list[FastAPI]] = {}
"""Applications that no test uses now, by their routers: to work out every route's parameters takes longer than a test."""


def _application(routers: tuple[APIRouter, ...]) -> FastAPI:
    if idle := _idle.get(tuple(map(id, routers))):
        return idle.pop()
    app = FastAPI()
    for router in routers:
        app.include_router(router)
    problems.install(app)
    return app


@dataclass(frozen=True)
class Person:
    """Somebody with an account and, once signed in, a token."""

    account: Account
    client: AsyncClient
    token: str

    @property
    def id(self) -> str:
        return self.account.id

    async def ask(self, method: str, path: str, json: object = None, **params: object) -> Response:
        """Send a request as this person."""
        given = {name: value if isinstance(value, list) else str(value) for name, value in params.items()}
        headers = {"Authorization": f"Bearer {self.token}"}
        return await self.client.request(method, path, headers=headers, params=given, json=json)

    async def get(self, path: str, **params: object) -> Response:
        return await self.ask("GET", path, **params)

    async def post(self, path: str, json: object) -> Response:
        return await self.ask("POST", path, json)

    async def post_file(self, path: str, name: str, content: bytes) -> Response:
        headers = {"Authorization": f"Bearer {self.token}"}
        return await self.client.post(path, headers=headers, files={"file": (name, content)})

    async def patch(self, path: str, json: object) -> Response:
        return await self.ask("PATCH", path, json)

    async def put(self, path: str, json: object) -> Response:
        return await self.ask("PUT", path, json)

    async def delete(self, path: str) -> Response:
        return await self.ask("DELETE", path)


@dataclass(frozen=True)
class World:
    """Two tenants. `ours` has a published course that a teacher teaches and a student learns; `theirs` has its own."""

    database: Database
    client: AsyncClient
    people: Mapping[str, Person]
    """By name: site, admin, teacher, student, idle (a member in no course), stranger, their_admin."""
    ours: str
    theirs: str
    course: str
    their_course: str
    lesson: str
    draft: str

    def __getitem__(self, name: str) -> Person:
        return self.people[name]

    async def principal(self, name: str) -> Principal:
        """The person as services see them."""
        async with self.database.read() as session:
            return await principal_of(session, SignedIn(self.people[name].account, "", None))


async def build_world(database: Database, client: AsyncClient) -> World:
    """Fill an empty database: the first time through the services themselves, from then on with the same rows."""
    if _remembered and monotonic() < _remembered[-1].until:
        built, rows = _remembered[-1].world, _remembered[-1].rows
        async with database.write() as session:
            for table, values in rows.items():
                await session.execute(insert(table), values)
    else:
        built = await _build(database, client)
        _remembered.append(_Remembered(built, await _rows_of(database), monotonic() + FRESH))
    people = {name: replace(person, client=client) for name, person in built.people.items()}
    return replace(built, database=database, client=client, people=people)


@dataclass(frozen=True)
class _Remembered:
    """A world, its rows, and until when those who are signed in surely are: a thousand tests need not build it."""

    world: World
    rows: dict[Table, list[dict[str, object]]]
    until: float


_remembered: list[_Remembered] = []


async def _rows_of(database: Database) -> dict[Table, list[dict[str, object]]]:
    found: dict[Table, list[dict[str, object]]] = {}
    async with database.read() as session:
        for table in Base.metadata.sorted_tables:
            found[table] = [dict(row) for row in (await session.execute(select(table))).mappings()]
    return {table: rows for table, rows in found.items() if rows}


async def _build(database: Database, client: AsyncClient) -> World:
    people = {
        name: await sign_in(database, client, name)
        for name in ("site", "admin", "teacher", "student", "idle", "stranger", "their_admin")
    }
    async with database.write() as session:
        ours = (await organizations.create_organization(session, SITE, NewOrganization(name="Ours"))).id
        theirs = (await organizations.create_organization(session, SITE, NewOrganization(name="Theirs"))).id
        places: tuple[tuple[str, str, MemberRole], ...] = (
            ("admin", ours, "organization_admin"),
            ("teacher", ours, "teacher"),
            ("student", ours, "student"),
            ("idle", ours, "student"),
            ("stranger", theirs, "student"),
            ("their_admin", theirs, "organization_admin"),
        )
        for name, organization_id, role in places:
            new = NewMember(email=people[name].account.email, role=role)
            await memberships.add_member(session, SITE, organization_id, new)
        new = NewCourse(title="Robots", organization_id=ours)
        course = (await courses.create_course(session, SITE, new)).id
        new = NewCourse(title="Robots", organization_id=theirs, published=True)
        their_course = (await courses.create_course(session, SITE, new)).id
        enrolled: tuple[tuple[str, CourseRole], ...] = (("teacher", "teacher"), ("student", "student"))
        for name, course_role in enrolled:
            who = NewEnrolment(user_id=people[name].id, role=course_role)
            await enrolments.enrol(session, SITE, course, who)
        await courses.change_course(session, SITE, course, CourseChange(published=True))
        lesson = await lessons.create_lesson(
            session,
            SITE,
            course,
            NewLesson(title="Nodes", path="nodes.md", body="# Nodes\n\nA node computes."),
        )
        draft = await lessons.create_lesson(
            session, SITE, course, NewLesson(title="Topics", path="topics.md", body="Soon.", published=False)
        )
    return World(database, client, people, ours, theirs, course, their_course, lesson.id, draft.id)


async def sign_in(
    database: Database, client: AsyncClient, name: str, organization_id: str | None = None
) -> Person:
    """Somebody with an account and a session; `site` administers the site."""
    async with database.write() as session:
        account = await create_account(
            session,
            email=f"{name}@famulus.local",
            name=name.title(),
            password_hash=None,
            site_admin=name == "site",
            verified=True,
        )
        opened = await open_session(session, account, "api")
        if organization_id is not None:
            await choose_organization(session, opened.session_id, organization_id)
    return Person(account, client, opened.token)
