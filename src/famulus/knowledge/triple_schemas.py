"""Triples as an organization's admins order them and see them."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from famulus.kernel.text import Input

LEAST_BUDGET, MOST_BUDGET = 1_000, 1_000_000_000
State = Literal["none", "running", "done", "stopped", "cancelled", "failed"]


class TripleEstimate(BaseModel):
    """What it would take to have an organization's material read for triples."""

    model: str = Field(description="Who would be asked: the server's model.")
    chunks: int = Field(
        description="Of documents and lessons; code and API descriptions are not asked about."
    )
    read: int = Field(description="How many of them this model has read; they cost nothing again.")
    requests: int = Field(description="How many texts would be asked about, each once.")
    input_tokens: int = Field(description="About.")
    output_tokens: int = Field(description="About.")
    cost_usd: float | None = Field(description="About; null where no price is known.")
    no_price: str | None = Field(description="Why there is no cost, and what to do.")
    suggested_budget: int = Field(
        description="A `token_budget` with which it should not stop before the end."
    )


class TripleOrder(Input):
    """How much may be spent."""

    token_budget: Annotated[int, Field(ge=LEAST_BUDGET, le=MOST_BUDGET)] = Field(
        description="Tokens, read and written, that all requests together may take."
    )


class TriplesOut(BaseModel):
    """How an organization's triples stand."""

    state: State = Field(
        description="none: nobody has started; running; done; stopped at the budget; cancelled; failed."
    )
    said: str = Field(description="The same in words, such as how many chunks are done.")
    error: str | None = Field(description="Why it failed or, while it runs, what it waits for.")
    model: str | None
    chunks: int = Field(description="Of documents and lessons, by now.")
    read: int = Field(description="How many of them the model has read.")
    triples: int = Field(description="How many the graph has.")
    token_budget: int | None
    input_tokens: int = Field(description="Of the present or the last run.")
    output_tokens: int
    reserved_tokens: int = Field(
        description="Of requests on their way, and of those of which nobody knows what became; they count as spent."
    )
    cost_usd: float | None = Field(description="Of the tokens in and out; null where no price is known.")
    started_at: datetime | None
    updated_at: datetime | None
