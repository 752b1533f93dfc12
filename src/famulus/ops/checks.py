"""The state of every part, for readiness and for `famulus doctor`: each with what to do when it is not well."""

import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from sqlalchemy.exc import SQLAlchemyError

from famulus.identity.mails import waits_since
from famulus.kernel.database import Database
from famulus.kernel.errors import FamulusError
from famulus.kernel.migrate import current, newest
from famulus.kernel.settings import Settings
from famulus.knowledge.elsewhere import Elsewhere
from famulus.knowledge.index import Index
from famulus.knowledge.meaning import Meaning
from famulus.llm.health import Health
from famulus.llm.opened import Models
from famulus.tools.connections import states

State = Literal["ok", "degraded", "down"]


@dataclass(frozen=True, slots=True)
class PartState:
    """One part of the server and how it is."""

    name: str
    state: State
    detail: str
    """For people: what it is, or what is wrong and what to do."""


async def check_database(database: Database) -> PartState:
    """Whether the database answers with this release's schema."""
    try:
        await database.ping()
        found = await current(database)
    except (FamulusError, OSError) as error:
        return PartState("database", "down", f"{database.dialect} does not answer: {_words(error)}")
    if found != newest():
        detail = f"the schema is {found or 'missing'}, this release needs {newest()}; run `famulus migrate`"
        return PartState("database", "down", detail)
    return PartState("database", "ok", f"{database.dialect}, schema {found}")


async def check_model(models: Models) -> PartState:
    """Which model answers by default; being without one is a choice, shown as degraded."""
    try:
        model = models.get()
    except FamulusError as error:
        return PartState("model", "down", error.detail)
    if model.kind == "offline":
        detail = "no model: answers quote the material; set FAMULUS_MODEL or a provider's key to connect one"
        return PartState("model", "degraded", detail)
    return PartState("model", "ok", f"{model.kind}:{model.name}")


async def check_providers(models: Models) -> PartState:
    """How the servers of models are doing, as far as requests to them have shown."""
    told = [
        f"{health.name}: {words}"
        for health in models.healths.known.values()
        if (words := _trouble(health)) is not None
    ]
    if told:
        return PartState("model_providers", "degraded", "; ".join(told))
    return PartState("model_providers", "ok", "no trouble that requests have shown")


def _trouble(health: Health) -> str | None:
    budget = f"{health.budget:.0f} further attempts left"
    match health.state:
        case "open":
            return f"left alone for {health.left():.0f} s after {health.failures} failures in a row, {budget}"
        case "half_open":
            return f"asked again with the next request after {health.failures} failures in a row, {budget}"
        case "closed":
            return f"asked, but {budget}" if health.budget < 1 else None


async def check_embedding(meaning: Meaning) -> PartState:
    """Whether passages are found by meaning, and of how many chunks that still has to be worked out."""
    if (lacking := meaning.embedders.lacking) is not None:
        return PartState("embedding", "degraded", f"search goes by words alone: install {lacking}")
    try:
        progress = await meaning.progress()
    except (FamulusError, SQLAlchemyError):
        return PartState("embedding", "degraded", "its state cannot be read")
    match progress.state:
        case "off":
            detail = "search goes by words alone; set FAMULUS_EMBEDDING to search by meaning as well"
            return PartState("embedding", "degraded", detail)
        case "unavailable":
            detail = "search goes by words alone: this PostgreSQL needs the extension `vector` (pgvector)"
            return PartState("embedding", "degraded", detail)
        case "partial" | "pending":
            detail = (
                f"{progress.model}; {progress.waiting} chunks are found by words alone until it is their turn"
            )
            return PartState("embedding", "ok", detail)
        case "ready":
            return PartState("embedding", "ok", f"{progress.model}")


async def check_index(index: Index) -> PartState:
    """Whether the index of passages answers, and how far it is behind; without it the database's own one is asked."""
    if not isinstance(index, Elsewhere):
        return PartState("index", "ok", "the database's own")
    try:
        found = await index.standing()
    except (FamulusError, SQLAlchemyError):
        return PartState("index", "degraded", "its state cannot be read")
    if found.state == "unavailable":
        detail = "the server at FAMULUS_INDEX_URL does not answer; the database's own index is searched"
        return PartState("index", "degraded", detail)
    if found.state == "filling":
        return PartState(
            "index", "ok", f"{found.waiting} changes to tell; being filled, the database's own is searched"
        )
    return PartState("index", "ok", f"{found.points} chunks on Qdrant, {found.waiting} changes to tell")


async def check_data_dir(settings: Settings) -> PartState:
    """Whether the data folder can be written. Readiness is public, so where it lies is not said."""
    folder = settings.data_dir
    if folder.is_dir() and os.access(folder, os.W_OK | os.X_OK):
        return PartState("data_dir", "ok", "can be written")
    if not folder.exists():
        return PartState(
            "data_dir", "degraded", "FAMULUS_DATA_DIR does not exist yet; the server makes it when it starts"
        )
    return PartState(
        "data_dir", "down", "FAMULUS_DATA_DIR cannot be written; give the server's user the right to"
    )


async def check_mail(database: Database, settings: Settings) -> PartState:
    """Whether mails go out. Asks the outbox rather than the mail server, so that readiness does not wait for it."""
    if settings.smtp_host is None:
        detail = "no mail server: mails are kept in the outbox; set FAMULUS_SMTP_HOST to send them"
        return PartState("mail", "degraded", detail)
    try:
        async with database.read() as session:
            since = await waits_since(session)
    except (FamulusError, SQLAlchemyError):
        return PartState("mail", "degraded", "the outbox cannot be read")
    if since is not None:
        detail = f"mails wait since {since:%Y-%m-%d %H:%M} UTC; `famulus doctor` asks the mail server why"
        return PartState("mail", "degraded", detail)
    return PartState("mail", "ok", "mails are sent")


async def check_connections(database: Database) -> PartState:
    """How the connections of all organizations were when they were last looked at; none of them is needed to serve."""
    try:
        async with database.read() as session:
            found = await states(session)
    except (FamulusError, SQLAlchemyError):
        return PartState("connections", "degraded", "their states cannot be read")
    failed, count = found.get("failed", 0), sum(found.values())
    if failed:
        detail = f"{failed} of {count} failed when last tried; GET /api/v1/connections says why"
        return PartState("connections", "degraded", detail)
    return PartState("connections", "ok", f"{count} in use" if count else "none")


async def check_all(*checks: Callable[[], Awaitable[PartState]]) -> tuple[State, list[PartState]]:
    """Every part, and the whole: down if a part is down, else degraded if one is, else ok."""
    parts = [await check() for check in checks]
    states = {part.state for part in parts}
    whole: State = "down" if "down" in states else "degraded" if "degraded" in states else "ok"
    return whole, parts


def _words(error: Exception) -> str:
    return error.detail if isinstance(error, FamulusError) else f"{type(error).__name__}"
