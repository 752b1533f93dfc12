"""The bridge to pydantic-ai's models: every provider that it knows and we have no wire for.

It costs several times as much a token as a wire of ours. The package is an extra, loaded in a thread when a model of it
is asked for the first time; keys and addresses are the provider's own variables, as that package reads them.
"""

import asyncio
import importlib.util
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing

from famulus.kernel.errors import ConfigurationError
from famulus.llm.errors import ModelError, ModelTimeout
from famulus.llm.health import Health
from famulus.llm.limits import Limits
from famulus.llm.protocol import Item, Push, Request
from famulus.llm.retry import RetryPolicy, retrying

EXTRA = (
    "Install it with its provider's own part, such as: "
    "pip install 'famulus[pydantic-ai]' 'pydantic-ai-slim[google]'."
)
Batches = AsyncGenerator[Sequence[Item], None]
Answer = Callable[[Request], Batches]


class BridgedModel:
    """A model of pydantic-ai; `name` is `PROVIDER:MODEL`, as that package writes it."""

    kind = "pydantic-ai"

    def __init__(
        self,
        name: str,
        *,
        limits: Limits | None = None,
        retry: RetryPolicy | None = None,
        health: Health | None = None,
    ) -> None:
        """Nothing is loaded yet. Raises ConfigurationError where the package is not there."""
        if importlib.util.find_spec("pydantic_ai") is None:
            raise ConfigurationError(f"FAMULUS_MODEL={self.kind}:{name} needs pydantic-ai. {EXTRA}")
        self.name = name
        self._limits = limits or Limits()
        self._retry = retry or RetryPolicy()
        self._health = health or Health(self.kind)
        self._answer: Answer | None = None

    async def stream(self, request: Request, push: Push | None = None) -> Batches:
        """Answer `request`. Failures before the first item are tried again, later ones are not."""
        if self._answer is None:
            self._answer = await asyncio.to_thread(_load, self.name)
        until = asyncio.get_running_loop().time() + self._limits.whole
        batches, items = await self._begin(self._answer, request)
        async with aclosing(batches):
            while items is not None:
                yield items
                items = await _next(batches, self._limits.idle, until)

    async def close(self) -> None:
        """The package keeps its connections for itself; safe to call twice."""

    async def _begin(self, answer: Answer, request: Request) -> tuple[Batches, Sequence[Item] | None]:
        """Ask until an answer begins, as long as it may be tried again and the provider is well enough."""

        async def attempt() -> tuple[Batches, Sequence[Item] | None]:
            batches = answer(request)
            until = asyncio.get_running_loop().time() + self._limits.whole
            try:
                return batches, await _next(batches, self._limits.first_byte, until)
            except BaseException:
                await batches.aclose()
                raise

        health = self._health
        health.admit()
        try:
            begun = await retrying(attempt, self._retry, may=self._may_retry)
        except ModelError as error:
            health.failed(error)
            raise
        except BaseException:
            health.gave_up()
            raise
        health.succeeded()
        return begun

    def _may_retry(self, error: ModelError) -> bool:
        if not self._health.may_retry():
            return False
        self._health.failed(error)
        return True


async def _next(batches: Batches, patience: float, until: float) -> Sequence[Item] | None:
    """The next items; None after the last. Raises ModelTimeout where they take too long."""
    left = min(patience, until - asyncio.get_running_loop().time())
    try:
        async with asyncio.timeout(left):
            return await anext(batches, None)
    except TimeoutError:
        raise ModelTimeout() from None


def _load(name: str) -> Answer:
    # lazy: most servers do without this extra, which takes seconds to load
    from famulus.llm.bridge_pydantic_ai import open_bridge

    return open_bridge(name)
