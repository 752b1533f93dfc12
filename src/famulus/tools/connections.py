"""Connections to servers of others: set up by an organization's admins, looked at, changed, removed.

What is at the other side is asked before or between transactions, never within one. Secrets are sealed as they come in.
"""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import undefer

from famulus.campus import access
from famulus.identity import audit
from famulus.identity.principal import Principal
from famulus.kernel.database import Database, announce
from famulus.kernel.duplicates import duplicates_are
from famulus.kernel.errors import Conflict, FieldProblem, Invalid, NotFound
from famulus.kernel.http_answers import OutboundRefused
from famulus.kernel.ids import new_id
from famulus.kernel.paging import Page, Paging, page
from famulus.kernel.secrets import Vault
from famulus.kernel.tables import utc_now
from famulus.tools.connection_schemas import (
    ConnectionChange,
    ConnectionOut,
    ConnectionTest,
    ConnectionTools,
    NewConnection,
    auth_of,
)
from famulus.tools.events import ConnectionsChanged
from famulus.tools.found import tools_found
from famulus.tools.kinds import Kinds
from famulus.tools.links import Auth, Kind, Link, Problem, State, encode_auth, shown_auth
from famulus.tools.models import Connection

MOST = 50
"""Connections of one organization."""
THING = "connection"
LOOKED_AT = frozenset({"url", "document", "base_url", "command", "auth", "allow", "name"})
"""What has to be looked at again once it is different."""
NOTES = 50


class ConnectionNameTaken(Conflict):
    """This organization has a connection of that name; choose another."""

    code = "connection_name_taken"


class TooManyConnections(Conflict):
    """An organization has at most 50 connections; remove one that is no longer used."""

    code = "too_many_connections"


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a look has come to."""

    state: State
    problem: str | None = None
    document: str | None = None
    tools: Sequence[str] = ()
    notes: tuple[str, ...] = ()
    refused: bool = False
    """Whether the address is one that may not be asked from here."""


async def list_connections(
    session: AsyncSession, principal: Principal, paging: Paging, organization_id: str | None = None
) -> Page[ConnectionOut]:
    """The connections of an organization, or for site admins of all, the oldest first. Raises NotFound or Forbidden."""
    if not principal.is_site_admin:
        organization_id = organization_id or principal.organization_id
    await access.require_in(session, principal, "see", THING, organization_id=organization_id)
    query = select(Connection)
    if organization_id is not None:
        query = query.where(Connection.organization_id == organization_id)
    found = await page(session, query, by=[Connection.id], paging=paging)
    return found.map(ConnectionOut.of)


async def get_connection(session: AsyncSession, principal: Principal, connection_id: str) -> ConnectionOut:
    """One of them. Raises NotFound."""
    return ConnectionOut.of(await find_connection(session, principal, connection_id))


async def remove_connection(session: AsyncSession, principal: Principal, connection_id: str) -> None:
    """Remove a connection with its secret; its tools are gone at once. Raises NotFound or Forbidden."""
    row = await find_connection(session, principal, connection_id, "remove")
    before = {"name": row.name, "kind": row.kind, "url": row.url}
    await session.delete(row)
    await session.flush()
    audit.record(session, principal, "connection.remove", _thing(row), before=before)
    announce(session, ConnectionsChanged(row.organization_id))


async def enabled_links(session: AsyncSession, organization_id: str) -> list[tuple[Link, str]]:
    """The connections of an organization whose tools can be used, without their documents; each with a version."""
    query = select(Connection).where(
        Connection.organization_id == organization_id,
        Connection.enabled,
        Connection.document_hash.is_not(None),
    )
    rows = (await session.execute(query.order_by(Connection.id))).scalars()
    return [(link_of(row), f"{row.id} {row.updated_at.isoformat()} {row.document_hash}") for row in rows]


async def document_of(session: AsyncSession, connection_id: str) -> str | None:
    """What was last found at the other side of a connection."""
    query = select(Connection.document).where(Connection.id == connection_id)
    return (await session.execute(query)).scalar_one_or_none()


async def states(session: AsyncSession) -> dict[str, int]:
    """How many of all connections in use are in which state."""
    query = select(Connection.state, func.count()).where(Connection.enabled).group_by(Connection.state)
    return {row[0]: row[1] for row in await session.execute(query)}


class Connections:
    """What is done with connections that takes a look at their other side."""

    def __init__(self, database: Database, vault: Vault, kinds: Kinds) -> None:
        self._database = database
        self._vault = vault
        self._kinds = kinds

    async def create(self, principal: Principal, new: NewConnection) -> ConnectionOut:
        """A new connection, looked at. Raises NotFound, Forbidden, Invalid, or a Conflict of this module."""
        principal.no_tool()
        organization_id = new.organization_id or principal.organization_id
        auth, kind = auth_of(new.auth), new.kind
        async with self._database.read() as session:
            organization_id = await _place(session, principal, organization_id)
            _may_sign_in(principal, "create", auth)
            _may_start(principal, "create", new.command)
        id = new_id("con")
        link = Link(
            id, organization_id, kind, new.name, new.url, new.base_url, self._seal(auth, id), tuple(new.allow),
            new.effects, tuple(new.command) if new.command else None, document=new.document,
        )  # fmt: skip
        seen = await self._look(link, handed_in=new.document is not None)
        async with self._database.write() as session:
            await _place(session, principal, organization_id)
            await _check_room(session, organization_id)
            row = _row(link, auth, enabled=new.enabled)
            _note(row, seen)
            session.add(row)
            with duplicates_are(ConnectionNameTaken()):
                await session.flush()
            audit.record(session, principal, "connection.create", _thing(row), after=_shown(row))
            announce(session, ConnectionsChanged(organization_id))
            return ConnectionOut.of(row)

    async def change(
        self, principal: Principal, connection_id: str, change: ConnectionChange
    ) -> ConnectionOut:
        """Change a connection, and look at it again where that matters. Raises as `create` does."""
        principal.no_tool()
        given = change.given()
        auth = None if change.auth is None else auth_of(change.auth)
        async with self._database.read() as session:
            row = await find_connection(session, principal, connection_id, "change", document=True)
        before = link_of(row, row.document)
        _may_start(principal, "change", row.command or change.command)
        _check_kind(before, given)
        _may_sign_in(principal, "change", self._kind_of(row) if auth is None else auth)
        after = self._changed(before, given, auth)
        if auth is None and row.auth.get("secret_set"):
            _check_same_side(before, after)
        seen = None
        if given.keys() & LOOKED_AT:
            seen = await self._look(after, handed_in=change.document is not None)
        async with self._database.write() as session:
            row = await find_connection(session, principal, connection_id, "change", document=True)
            await self._write(session, principal, row, after, _Changes(given, auth, seen))
            return ConnectionOut.of(row)

    async def test(self, principal: Principal, connection_id: str) -> ConnectionTest:
        """Look at the other side again, and keep what was found. Raises NotFound or Forbidden."""
        async with self._database.read() as session:
            row = await find_connection(session, principal, connection_id, "change", document=True)
        seen = await self._look(link_of(row, row.document))
        async with self._database.write() as session:
            row = await find_connection(session, principal, connection_id, "change", document=True)
            before = row.document_hash
            _note(row, seen)
            await session.flush()
            if row.document_hash != before:
                announce(session, ConnectionsChanged(row.organization_id))
            return ConnectionTest(connection=ConnectionOut.of(row), tools=list(seen.tools))

    async def tools(self, principal: Principal, connection_id: str) -> ConnectionTools:
        """What was last found at the other side. Raises NotFound."""
        async with self._database.read() as session:
            row = await find_connection(session, principal, connection_id, document=True)
        return await asyncio.to_thread(tools_found, link_of(row, row.document), row.document_hash)

    async def _write(
        self, session: AsyncSession, principal: Principal, row: Connection, after: Link, changes: "_Changes"
    ) -> None:
        values: dict[str, object] = {
            name: value for name, value in changes.given.items() if name not in ("auth", "document")
        }
        if "document" in changes.given:
            values["url"] = None
        if changes.auth is not None:
            values["auth"] = shown_auth(changes.auth)
        was, now = audit.change(row, values)
        if changes.auth is not None:
            row.sealed, row.updated_at = after.sealed, utc_now()
            now["credentials"] = "set anew"
        hash_before = row.document_hash
        if changes.seen is not None:
            if now.keys() & {"url", "command"} or "document" in changes.given:
                row.document = row.document_hash = None  # it is of somewhere else
                row.approved = {}
            _note(row, changes.seen)
        if row.document_hash != hash_before:
            now["document_hash"] = row.document_hash
        with duplicates_are(ConnectionNameTaken()):
            await session.flush()
        if now:
            audit.record(session, principal, "connection.change", _thing(row), before=was, after=now)
            announce(session, ConnectionsChanged(row.organization_id))

    def _changed(self, link: Link, given: Mapping[str, object], auth: Auth | None) -> Link:
        changes: dict[str, Any] = {
            name: value
            for name, value in given.items()
            if name in ("name", "url", "base_url", "effects", "document")
        }
        if "document" in given:
            changes["url"] = None
        if isinstance(command := given.get("command"), list):
            changes["command"] = tuple(command)  # pyright: ignore[reportUnknownArgumentType] – as below
        if isinstance(allow := given.get("allow"), list):
            changes["allow"] = tuple(allow)  # pyright: ignore[reportUnknownArgumentType] – the schema has checked it
        if auth is not None:
            changes["sealed"] = self._seal(auth, link.id)
        return replace(link, **changes)

    def _seal(self, auth: Auth, id: str) -> str:
        return self._vault.encrypt(encode_auth(auth).decode(), id)

    def _kind_of(self, row: Connection) -> str:
        return str(row.auth.get("kind"))

    async def _look(self, link: Link, *, handed_in: bool = False) -> _Seen:
        """See what is there. Raises Invalid for a document that was handed in and cannot be used."""
        try:
            found = await self._kinds.look(link)
        except Problem as problem:
            if handed_in:
                raise Invalid(fields=(FieldProblem("document", str(problem)),)) from problem
            if isinstance(problem.__cause__, OutboundRefused):
                raise Invalid(fields=(FieldProblem("url", str(problem)),)) from problem
            return _Seen("failed", str(problem))
        return _Seen("ok", None, found.document, found.tools, found.notes[:NOTES])


@dataclass(frozen=True, slots=True)
class _Changes:
    given: Mapping[str, object]
    auth: Auth | None
    seen: _Seen | None


async def find_connection(
    session: AsyncSession,
    principal: Principal,
    connection_id: str,
    action: str = "see",
    *,
    document: bool = False,
) -> Connection:
    """A connection that one may see; then whether one may do this to it."""
    mine = access.organizations_where(principal, "see", THING)
    query = select(Connection).where(Connection.id == connection_id, Connection.organization_id.in_(mine))
    if document:
        query = query.options(undefer(Connection.document))
    row = (await session.execute(query)).scalar_one_or_none()
    if row is None:
        raise NotFound(f"There is no connection {connection_id!r} that you may see.")
    if action != "see":
        await access.require_in(session, principal, action, THING, organization_id=row.organization_id)
    return row


async def _place(session: AsyncSession, principal: Principal, organization_id: str | None) -> str:
    """The organization in which a connection may be made."""
    if organization_id is None:
        await access.require_in(session, principal, "create", THING)
        raise Invalid(fields=(FieldProblem("organization_id", "Say for which organization this is."),))
    await access.require_in(session, principal, "create", THING, organization_id=organization_id)
    return organization_id


def _may_sign_in(principal: Principal, action: str, auth: Auth | str) -> None:
    """Tokens of askers are the site's to pass on: whoever receives them can act as those people elsewhere."""
    kind = auth if isinstance(auth, str) else auth.__struct_config__.tag
    if kind == "asker":
        access.require_site_admin(principal, action, "connection as the asker")


def _may_start(principal: Principal, action: str, command: Sequence[str] | None) -> None:
    """A program runs on this server, as this server: that is the site's affair."""
    if command is not None:
        access.require_site_admin(principal, action, "connection by command")


def _check_kind(before: Link, given: Mapping[str, object]) -> None:
    """A connection stays of its kind, and a program stays a program."""
    strange = {"document", "base_url"} if before.kind == "mcp" else {"command"}
    strange |= {"url"} if before.command is not None else {"command"}
    if found := sorted(name for name in strange & given.keys() if given[name] is not None):
        raise Invalid(fields=(FieldProblem(found[0], "A connection of this kind has none; make another."),))


def _check_same_side(before: Link, after: Link) -> None:
    """A secret that nobody can read is not sent to another server because its address was changed."""
    for name, was, now in (("url", before.url, after.url), ("base_url", before.base_url, after.base_url)):
        if was != now and _origin(now or after.url) != _origin(was or before.url):
            message = "With another server the credentials have to be entered again: send `auth` as well."
            raise Invalid(fields=(FieldProblem(name, message),))


def _origin(url: str | None) -> str:
    parts = urlsplit(url or "")
    return f"{parts.scheme}://{parts.netloc}".lower()


async def _check_room(session: AsyncSession, organization_id: str) -> None:
    query = select(func.count()).select_from(Connection).where(Connection.organization_id == organization_id)
    if (await session.execute(query)).scalar_one() >= MOST:
        raise TooManyConnections()


def link_of(row: Connection, document: str | None = None) -> Link:
    """A row as the kinds of connections take it."""
    kind: Kind = "mcp" if row.kind == "mcp" else "openapi"
    return Link(
        row.id, row.organization_id, kind, row.name, row.url, row.base_url, row.sealed, tuple(row.allow),
        row.effects, tuple(row.command) if row.command else None, row.approved, document,
    )  # fmt: skip


def _row(link: Link, auth: Auth, *, enabled: bool) -> Connection:
    now = utc_now()
    return Connection(
        id=link.id,
        organization_id=link.organization_id,
        kind=link.kind,
        name=link.name,
        url=link.url,
        base_url=link.base_url,
        auth=shown_auth(auth),
        sealed=link.sealed,
        enabled=enabled,
        allow=list(link.allow),
        effects=dict(link.effects),
        command=list(link.command) if link.command else None,
        approved={},
        notes=[],
        tool_count=0,
        created_at=now,
        updated_at=now,
    )


def _note(row: Connection, seen: _Seen) -> None:
    """Keep what a look has come to. What was found before stays where nothing was found: its tools may still work."""
    row.state, row.problem, row.checked_at = seen.state, seen.problem, utc_now()
    if seen.document is not None:
        row.document = seen.document
        row.document_hash = hashlib.sha256(seen.document.encode()).hexdigest()
        row.tool_count, row.notes = len(seen.tools), list(seen.notes)


def _shown(row: Connection) -> dict[str, object]:
    names = ("name", "kind", "url", "base_url", "command", "auth", "enabled", "allow", "effects")
    return {name: getattr(row, name) for name in names}


def _thing(row: Connection) -> audit.Thing:
    return audit.Thing(row.id, row.name, row.organization_id)
