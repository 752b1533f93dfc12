"""What asking a model costs, in US dollars: as the operator says, else by the list that comes with `genai-prices`.

The list is the one inside the installed package; nothing is fetched. What runs in this process costs nothing; what
neither the operator nor the list knows has no price, which is not the same.
"""

import asyncio
from collections.abc import Mapping
from decimal import Decimal
from functools import partial

from famulus.kernel.prices import ModelPrice
from famulus.llm.protocol import Price, Usage

MILLION = 1_000_000
HERE = ("offline", "scripted")


class Prices:
    """The prices of all models, by choice; each is looked up once."""

    def __init__(self, own: Mapping[str, ModelPrice], base_url: str | None = None) -> None:
        """`own` by choice, such as `compatible:llama3.1`; `base_url` is the compatible server's."""
        self._own = {choice.strip(): price for choice, price in own.items()}
        self._base_url = base_url
        self._found: dict[str, Price] = {}

    async def of(self, choice: str) -> Price:
        """The price of a choice such as `openai:NAME`."""
        price = self._found.get(choice)
        if price is None:
            price = self._found[choice] = await self._find(choice)
        return price

    async def _find(self, choice: str) -> Price:
        if own := self._own.get(choice):
            return partial(_own_price, own)
        kind, _, name = choice.partition(":")
        if kind in HERE:
            return _nothing
        # In a thread, for reading the list takes a tenth of a second.
        return await asyncio.to_thread(_listed, kind, name, self._base_url or "")


def _listed(kind: str, name: str, base_url: str) -> Price:
    # lazy: takes 10 MB and a tenth of a second, for models of providers alone
    import genai_prices

    if kind == "compatible":
        calc = partial(genai_prices.calc_price, provider_api_url=base_url)
    else:
        calc = partial(genai_prices.calc_price, provider_id=kind)

    def price(usage: Usage) -> Decimal | None:
        counted = genai_prices.Usage(
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cache_read_tokens=usage.cached_tokens,
        )
        try:
            found = calc(counted, name)
        except (LookupError, ValueError):  # not on the list, or not with a price for these
            return None
        return found.total_price or None  # for the list has models without any price

    try:
        calc(genai_prices.Usage(), name)
    except (
        LookupError
    ):  # whatever it takes, there is no price: looking again for each step would cost more than a step
        return _unknown
    except ValueError:
        pass
    return price


def _own_price(own: ModelPrice, usage: Usage) -> Decimal:
    cached = own.input if own.cached is None else own.cached
    fresh = usage.input_tokens - usage.cached_tokens
    return (fresh * own.input + usage.cached_tokens * cached + usage.output_tokens * own.output) / MILLION


def _unknown(_usage: Usage) -> None:
    return None


def _nothing(_usage: Usage) -> Decimal:
    return Decimal(0)
