"""Triples as an organization's admins order them: what it would cost, a run within a budget, and the way back.

none ─▶ running ─▶ done | stopped at the budget | cancelled | failed ── started again ─▶ running
"""

from math import ceil

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.campus.access import require_in
from famulus.campus.organizations import get_organization
from famulus.identity import audit
from famulus.identity.principal import Principal
from famulus.kernel.database import Database
from famulus.kernel.duplicates import duplicates_are
from famulus.kernel.ids import new_id
from famulus.kernel.jobs import enqueue
from famulus.kernel.tables import utc_now
from famulus.knowledge.errors import ModelNeeded, TriplesStarting
from famulus.knowledge.models import TripleAnswer, TripleRun
from famulus.knowledge.triple_schemas import LEAST_BUDGET, TripleEstimate, TriplesOut
from famulus.knowledge.triple_store import By, Counts, counts, forget, lacking
from famulus.knowledge.triples import MOST_TEXT, at_most, expected, version
from famulus.llm.offline import CONNECT
from famulus.llm.opened import Models
from famulus.llm.prices import Prices
from famulus.llm.protocol import Usage

TRIPLE_JOB = "knowledge.triples"
THING = "set of triples"
MORE = 1.5
"""How many times what is expected a budget should be."""
SAID = {
    "none": "No model has read this material for triples.",
    "running": "Reading: {0.read:,} of {0.chunks:,} chunks are done.",
    "done": "{0.read:,} of {0.chunks:,} chunks are read.",
    "stopped": "Stopped at the budget: {0.read:,} of {0.chunks:,} chunks are done.",
    "cancelled": "Cancelled: {0.read:,} of {0.chunks:,} chunks are done.",
    "failed": "Failed: {0.read:,} of {0.chunks:,} chunks are done.",
}
SINCE = " Start again for those that are new; only they cost."


class Triples:
    """What may be asked for. Everything raises NotFound or Forbidden where the person is no admin there."""

    def __init__(self, database: Database, models: Models, prices: Prices) -> None:
        self._database = database
        self._models = models
        self._prices = prices

    async def estimate(self, principal: Principal, organization_id: str) -> TripleEstimate:
        """What it would take now. Raises `ModelNeeded`."""
        async with self._database.read() as session:
            await require_in(session, principal, "see", THING, organization_id=organization_id)
            by = self._by()
            found = await counts(session, organization_id, by)
            texts, characters = await lacking(session, organization_id, by)
        usage = expected(texts, characters)
        cost = await self._cost(by.model, usage)
        unpriced = f"No price is known of {by.model}; the operator may set FAMULUS_MODEL_PRICES."
        last = at_most("x" * MOST_TEXT)
        enough = ceil(MORE * (usage.input_tokens + usage.output_tokens))
        return TripleEstimate(
            model=by.model,
            chunks=found.chunks,
            read=found.read,
            requests=texts,
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cost_usd=cost,
            no_price=unpriced if cost is None else None,
            suggested_budget=max(LEAST_BUDGET, enough + last.input_tokens + last.output_tokens),
        )

    async def start(self, principal: Principal, organization_id: str, token_budget: int) -> TriplesOut:
        """Have the material read, as far as it is not; while it is being read, change the budget.

        Raises `ModelNeeded`, or `TriplesStarting` where two do it at once.
        """
        principal.no_tool()
        async with self._database.write() as session:
            await require_in(session, principal, "create", THING, organization_id=organization_id)
            by = self._by()
            run = await _run_of(session, organization_id)
            if run is not None and run.state == "running":
                run.token_budget, run.updated_at = token_budget, utc_now()
            else:
                await session.execute(delete(TripleRun).where(TripleRun.organization_id == organization_id))
                session.add(_fresh(organization_id, by.model, token_budget))
            with duplicates_are(TriplesStarting()):
                await session.flush()
            after = {"model": by.model, "token_budget": token_budget}
            thing = await _thing(session, principal, organization_id)
            audit.record(session, principal, "triples.start", thing, after=after)
            payload = {"organization_id": organization_id}
            await enqueue(session, TRIPLE_JOB, payload, unique=f"{TRIPLE_JOB}:{organization_id}")
        return await self.standing(principal, organization_id)

    async def standing(self, principal: Principal, organization_id: str) -> TriplesOut:
        """How far it is."""
        async with self._database.read() as session:
            await require_in(session, principal, "see", THING, organization_id=organization_id)
            run = await _run_of(session, organization_id)
            by = By(run.model if run else self._models.default, version())
            found = await counts(session, organization_id, by)
        if run is None:
            return _out(found, None, None)
        return _out(found, run, await self._cost(run.model, Usage(run.input_tokens, run.output_tokens)))

    async def cancel(self, principal: Principal, organization_id: str) -> TriplesOut:
        """Ask for no more; what is read stays. Of what does not run nothing changes."""
        async with self._database.write() as session:
            await require_in(session, principal, "change", THING, organization_id=organization_id)
            going = (TripleRun.organization_id == organization_id, TripleRun.state == "running")
            ended = update(TripleRun).where(*going).values(state="cancelled", updated_at=utc_now())
            if (await session.scalars(ended.returning(TripleRun.id))).all():
                thing = await _thing(session, principal, organization_id)
                audit.record(session, principal, "triples.cancel", thing)
        return await self.standing(principal, organization_id)

    async def remove(self, principal: Principal, organization_id: str) -> None:
        """Forget all of it; what is interrupted is finished by asking again."""
        async with self._database.write() as session:
            await require_in(session, principal, "remove", THING, organization_id=organization_id)
            there = select(TripleAnswer.id).where(TripleAnswer.organization_id == organization_id).limit(1)
            run = await _run_of(session, organization_id)
            if run is not None:
                await session.delete(run)
            if run is not None or await session.scalar(there) is not None:
                thing = await _thing(session, principal, organization_id)
                audit.record(session, principal, "triples.remove", thing)
        more = True
        while more:
            async with self._database.write() as session:
                more = await forget(session, organization_id)

    def _by(self) -> By:
        if self._models.get().kind == "offline":
            raise ModelNeeded(
                f"Only a language model can read that, and none is connected. To connect one, {CONNECT}."
            )
        return By(self._models.default, version())

    async def _cost(self, model: str, usage: Usage) -> float | None:
        dollars = (await self._prices.of(model))(usage)
        return None if dollars is None else float(round(dollars, 4))


async def _run_of(session: AsyncSession, organization_id: str) -> TripleRun | None:
    query = select(TripleRun).where(TripleRun.organization_id == organization_id)
    return (await session.scalars(query)).one_or_none()


async def _thing(session: AsyncSession, principal: Principal, organization_id: str) -> audit.Thing:
    organization = await get_organization(session, principal, organization_id)
    return audit.Thing(organization_id, organization.name, organization_id)


def _fresh(organization_id: str, model: str, token_budget: int) -> TripleRun:
    now = utc_now()
    return TripleRun(
        id=new_id("tri"),
        organization_id=organization_id,
        model=model,
        state="running",
        token_budget=token_budget,
        input_tokens=0,
        output_tokens=0,
        reserved=0,
        created_at=now,
        updated_at=now,
    )


def _out(found: Counts, run: TripleRun | None, cost: float | None) -> TriplesOut:
    state = run.state if run else "none"
    since = SINCE if state == "done" and found.read < found.chunks else ""
    return TriplesOut.model_validate(
        {
            "state": state,
            "said": SAID[state].format(found) + since,
            "error": run and run.error,
            "model": run and run.model,
            "chunks": found.chunks,
            "read": found.read,
            "triples": found.relations,
            "token_budget": run and run.token_budget,
            "input_tokens": run.input_tokens if run else 0,
            "output_tokens": run.output_tokens if run else 0,
            "reserved_tokens": run.reserved if run else 0,
            "cost_usd": cost,
            "started_at": run and run.created_at,
            "updated_at": run and run.updated_at,
        }
    )
