"""A room in which a scripted model reads for triples: what tests of them share."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal
from typing import Any

from sqlalchemy import text

from famulus.doors.rest import CAMPUS
from famulus.kernel.database import Database
from famulus.kernel.jobs import Later
from famulus.kernel.prices import ModelPrice
from famulus.knowledge.routes import router as knowledge
from famulus.knowledge.triple_job import TripleKeeper
from famulus.knowledge.triple_runs import Triples
from famulus.llm.choose import open_model
from famulus.llm.opened import Models
from famulus.llm.prices import Prices
from famulus.llm.retry import RetryPolicy
from tests.support.fake_provider import FakeProvider
from tests.support.rooms import World, build_world, serving

CHOICE = "compatible:reader"
PRICE = ModelPrice(input=Decimal(1), output=Decimal(10))
TABLES = ("triple_answers", "triple_readings", "relations")


def models_of(provider: FakeProvider, choice: str = CHOICE) -> Models:
    return Models(
        lambda name: open_model(name, base_url=provider.base_url, retry=RetryPolicy(attempts=1)), choice
    )


class Room:
    """A world with a model."""

    def __init__(self, world: World, provider: FakeProvider, models: Models) -> None:
        self.world = world
        self.provider = provider
        self.keeper = TripleKeeper(world.database, models)

    @property
    def database(self) -> Database:
        return self.world.database

    @property
    def asked(self) -> list[str]:
        """What the model was asked about, in the order of the requests."""
        return [request.body["messages"][1]["content"] for request in self.provider.requests]

    async def start(self, token_budget: int = 1_000_000, who: str = "admin") -> Mapping[str, Any]:
        answer = await self.world[who].post(at(self.world.ours), {"token_budget": token_budget})
        assert answer.status_code == 202, answer.text
        return answer.json()

    async def run(self, organization_id: str | None = None) -> Mapping[str, Any]:
        """Do the work of the run; how it stands then."""
        await self.keeper.handle({"organization_id": organization_id or self.world.ours})
        return await self.stands()

    async def waits(self) -> float:
        """Do the work, which has to wait; for how many seconds."""
        try:
            await self.keeper.handle({"organization_id": self.world.ours})
        except Later as later:
            return later.seconds
        raise AssertionError("it did not wait")

    async def stands(self, who: str = "admin") -> Mapping[str, Any]:
        return (await self.world[who].get(at(self.world.ours))).json()

    async def estimate(self) -> Mapping[str, Any]:
        answer = await self.world["admin"].get(at(self.world.ours, "/estimate"))
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def rows(self) -> dict[str, int]:
        """How many rows each table has."""
        async with self.database.read() as session:
            return {
                table: await session.scalar(text(f"SELECT count(*) FROM {table}")) or 0 for table in TABLES
            }


def at(organization_id: str, rest: str = "") -> str:
    return f"/api/v1/organizations/{organization_id}/triples{rest}"


@asynccontextmanager
async def room_of(
    database: Database,
    provider: FakeProvider,
    choice: str = CHOICE,
    *,
    world: World | None = None,
    prices: Mapping[str, ModelPrice] | None = None,
) -> AsyncIterator[Room]:
    """A room on a database, whose server has this model; of a world that is built already, if one is given."""
    models = models_of(provider, choice)
    triples = Triples(
        database, models, Prices({CHOICE: PRICE} if prices is None else prices, provider.base_url)
    )
    try:
        async with serving(database, *CAMPUS, knowledge, triples=triples) as client:
            if world is None:
                world = await build_world(database, client)
            people = {name: replace(person, client=client) for name, person in world.people.items()}
            yield Room(replace(world, client=client, people=people), provider, models)
    finally:
        await models.close()
