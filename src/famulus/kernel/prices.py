"""Prices of models, as an operator writes them down."""

from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Dollars = Annotated[Decimal, Field(ge=0, le=100_000)]


class ModelPrice(BaseModel):
    """What a million tokens of one model cost, in US dollars."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    input: Dollars
    output: Dollars
    cached: Dollars | None = None
    """For tokens read that the provider remembered from an earlier request; as `input` where it is not said."""
