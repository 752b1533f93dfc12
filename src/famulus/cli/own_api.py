"""This server's own API as material for everybody on the site: assistants can say how something is done with it."""

import asyncio
import json
from pathlib import Path

from famulus.kernel.database import Database
from famulus.kernel.scratch import scratch
from famulus.kernel.settings import load_settings
from famulus.knowledge.ingest import Terms, ingest_listing
from famulus.knowledge.store import Owner, Place, source_at
from famulus.knowledge.walk import survey

NAME = "Famulus API"
LOCATION = "famulus:api"
"""No address: it cannot be read anew from anywhere but by the command."""
DOCUMENT = "famulus-openapi.json"


async def seed_api(database: Database, *, anew: bool) -> bool:
    """Take in the document of this release; where there is one already only `anew`. Whether anything has changed."""
    place = Place(Owner(None), "openapi", NAME, LOCATION)
    async with database.read() as session:
        there = (await session.execute(source_at(place))).scalar_one_or_none() is not None
    if there and not anew:
        return False
    async with scratch() as folder:
        path = folder / DOCUMENT
        await asyncio.to_thread(_write, path)
        report = await ingest_listing(
            database, place, await asyncio.to_thread(survey, path, Terms().limits), Terms()
        )
    return report.added + report.changed > 0


def _write(path: Path) -> None:
    from famulus.app import create_app  # lazy: the whole server, for a document of it

    path.write_text(json.dumps(create_app(load_settings()).openapi()), "utf-8")
