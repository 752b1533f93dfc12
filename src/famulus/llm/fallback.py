"""A chain of models: the first one answers, and where it cannot even begin, the next one does."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

import structlog

from famulus.llm.errors import ModelError
from famulus.llm.protocol import Item, Model, Push, Request

log = structlog.get_logger(__name__)


class FallbackModel:
    """Asks one model after another. What one has begun to say, no other goes on with."""

    def __init__(self, models: Sequence[Model]) -> None:
        """`models` are two or more."""
        self._models = models
        first, *others = models
        self.kind = first.kind
        self.name = " | ".join([first.name, *(f"{each.kind}:{each.name}" for each in others)])

    async def stream(
        self, request: Request, push: Push | None = None
    ) -> AsyncGenerator[Sequence[Item], None]:
        """Answer `request`. Raises the last model's error when none could begin."""
        *others, last = self._models
        for model in others:
            begun = False
            try:
                async with aclosing(model.stream(request, push)) as batches:
                    async for items in batches:
                        begun = True
                        yield items
                return
            except ModelError as error:
                # Nothing is pushed before the first batch has been yielded.
                if begun:
                    raise
                log.warning("model_fell_back", kind=model.kind, model=model.name, code=error.code)
        async with aclosing(last.stream(request, push)) as batches:
            async for items in batches:
                yield items

    async def close(self) -> None:
        """Close every model of it; safe to call twice."""
        for model in self._models:
            await model.close()
