"""`famulus doctor`: the configuration and every part, each with what to do about it."""

import asyncio
from functools import partial

from famulus.app import open_embedders, open_models
from famulus.doors.web import BUILT
from famulus.identity.postman import trouble
from famulus.kernel.database import Database
from famulus.kernel.errors import FamulusError
from famulus.kernel.logs import spare_stdout
from famulus.kernel.migrate import reach
from famulus.kernel.secrets import load_secret
from famulus.kernel.settings import Settings, load_settings
from famulus.knowledge.elsewhere import from_settings
from famulus.knowledge.meaning import Meaning
from famulus.knowledge.retrieve import index_of
from famulus.ops.checks import (
    PartState,
    check_all,
    check_data_dir,
    check_database,
    check_embedding,
    check_index,
    check_model,
)

MARKS = {"ok": "✓", "degraded": "–", "down": "✗"}


def run_doctor() -> bool:
    """Print the state of everything; False when something that is needed is down."""
    spare_stdout()
    settings = load_settings()
    print(f"environment: {settings.environment}   data folder: {settings.data_dir}\n")
    return asyncio.run(_examine(settings))


async def _examine(settings: Settings) -> bool:
    _, parts = await check_all(
        partial(check_data_dir, settings),
        partial(_secret, settings),
        partial(_database, settings),
        partial(_model, settings),
        partial(_embedding, settings),
        partial(_index, settings),
        partial(_mail, settings),
        _web,
    )
    for part in parts:
        print(f"{MARKS[part.state]} {part.name:10} {part.detail}")
    return all(part.state != "down" for part in parts)


async def _secret(settings: Settings) -> PartState:
    try:
        load_secret(settings)
    except FamulusError as error:
        return PartState("secret", "down", error.detail)
    return PartState("secret", "ok", "from FAMULUS_SECRET_KEY" if settings.secret_key else "secret.key")


async def _database(settings: Settings) -> PartState:
    try:
        database = Database(settings.database)
    except FamulusError as error:
        return PartState("database", "down", error.detail)
    try:
        await reach(database)
        return await check_database(database)
    except FamulusError as error:
        return PartState("database", "down", error.detail)
    finally:
        await database.close()


async def _model(settings: Settings) -> PartState:
    try:
        models = open_models(settings)
    except FamulusError as error:
        return PartState("model", "down", error.detail)
    try:
        return await check_model(models)
    finally:
        await models.close()


async def _embedding(settings: Settings) -> PartState:
    try:
        embedders = open_embedders(settings)
        database = Database(settings.database)
    except FamulusError as error:
        return PartState("embedding", "down", error.detail)
    meaning = Meaning(database, embedders)
    try:
        found = await check_embedding(meaning)
        if found.state == "ok" and embedders.chosen is not None:
            await embedders.chosen.embed(["Does it work?"], "query")
        return found
    except FamulusError as error:
        return PartState("embedding", "degraded", f"search goes by words alone: {error.detail}")
    finally:
        await embedders.close()
        await database.close()


async def _index(settings: Settings) -> PartState:
    try:
        database = Database(settings.database)
    except FamulusError as error:  # what is wrong with it stands in its own line
        return PartState("index", "down", error.detail)
    try:
        own = index_of(database.dialect)
        if settings.index_url is None:
            return await check_index(own)
        beside = from_settings(database, own, settings, settings.index_url)
        try:
            return await check_index(beside)
        finally:
            await beside.close()
    except FamulusError as error:
        return PartState("index", "down", error.detail)
    finally:
        await database.close()


async def _mail(settings: Settings) -> PartState:
    if settings.smtp_host is None:
        return PartState(
            "mail", "degraded", "no mail server: mails are kept in the outbox; see FAMULUS_SMTP_HOST"
        )
    place = f"{settings.smtp_host}:{settings.smtp_port}"
    if problem := await trouble(settings):
        return PartState("mail", "degraded", f"{place}: {problem}")
    return PartState("mail", "ok", f"{place} answers")


async def _web() -> PartState:
    if (BUILT / "index.html").is_file():
        return PartState("web app", "ok", "built")
    return PartState(
        "web app", "degraded", "not built; `scripts/run` builds it, or `npm ci && npm run build` in web/"
    )
