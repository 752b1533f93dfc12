"""`famulus triples`: what it would cost to have an organization's material read by a model, and having it done."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from famulus.app import open_models
from famulus.campus.lookup import organization_by_name, principal_by_email
from famulus.cli.work import with_database
from famulus.identity.principal import Principal
from famulus.kernel.database import Database
from famulus.kernel.settings import load_settings
from famulus.knowledge.triple_runs import Triples
from famulus.knowledge.triple_schemas import TripleEstimate, TripleOrder, TriplesOut
from famulus.llm.prices import Prices

T = TypeVar("T")


def run_estimate(organization: str, email: str | None) -> str:
    """What it would take now."""
    found = _asked(organization, email, Triples.estimate)
    return _estimated(found)


def run_start(organization: str, email: str | None, budget: int) -> str:
    """Have it done by the server, within a budget of tokens."""
    order = TripleOrder(token_budget=budget)

    def start(triples: Triples, principal: Principal, id: str) -> Awaitable[TriplesOut]:
        return triples.start(principal, id, order.token_budget)

    return f"{_stands(_asked(organization, email, start))}\nThe server reads in the background."


def run_status(organization: str, email: str | None) -> str:
    """How far it is."""
    return _stands(_asked(organization, email, Triples.standing))


def run_cancel(organization: str, email: str | None) -> str:
    """Ask for no more."""
    return _stands(_asked(organization, email, Triples.cancel))


def run_remove(organization: str, email: str | None) -> str:
    """Forget all of it."""
    _asked(organization, email, Triples.remove)
    return "All triples are forgotten."


def _asked(
    organization: str, email: str | None, what: Callable[[Triples, Principal, str], Awaitable[T]]
) -> T:
    settings = load_settings()

    async def work(database: Database) -> T:
        async with database.read() as session:
            principal = await principal_by_email(session, email)
            id = (await organization_by_name(session, principal, organization)).id
        models = open_models(settings)
        try:
            prices = Prices(settings.model_prices, settings.model_base_url)
            return await what(Triples(database, models, prices), principal, id)
        finally:
            await models.close()

    return with_database(work)


def _estimated(found: TripleEstimate) -> str:
    cost = found.no_price if found.cost_usd is None else f"About {found.cost_usd:,.2f} US dollars."
    return (
        f"{found.model} has read {found.read:,} of {found.chunks:,} chunks.\n"
        f"{found.requests:,} requests would read about {found.input_tokens:,} tokens and write about"
        f" {found.output_tokens:,}. {cost}\n"
        f"A budget that should do: --budget {found.suggested_budget}"
    )


def _stands(found: TriplesOut) -> str:
    lines = [found.said]
    if found.error:
        lines.append(found.error)
    if found.token_budget is not None:
        spent = found.input_tokens + found.output_tokens + found.reserved_tokens
        cost = "" if found.cost_usd is None else f", {found.cost_usd:,.2f} US dollars"
        lines.append(f"{spent:,} of {found.token_budget:,} tokens{cost}; {found.triples:,} triples.")
    return "\n".join(lines)
