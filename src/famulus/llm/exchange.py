"""One answer on its connection: reads packets, keeps the time, and turns whatever breaks into our own errors."""

import asyncio
import math

from famulus.llm.errors import ModelError, ModelStreamCut, ModelTimeout
from famulus.llm.http_stream import Answer, HttpError
from famulus.llm.limits import Limits
from famulus.llm.protocol import Item, Push, TextDelta
from famulus.llm.reader import Reader
from famulus.llm.watch import Watch

AFTER_THE_END = 5.0
"""Seconds we still listen (for the usage) once the server has said why it stopped."""
GOODBYE = 0.05
"""Seconds we wait for the end of the body, so that its connection can be used again."""


class Exchange:
    """The answer to one request, from its response's headers to its end."""

    def __init__(self, response: Answer, reader: Reader, limits: Limits, *, began: float) -> None:
        """`began`: loop time when the request was sent."""
        self._response = response
        self._reader = reader
        self._limits = limits
        self._time = asyncio.get_running_loop().time
        first = max(0.0, began + limits.first_byte - self._time())
        self._watch = Watch(response.close, idle=first, deadline=began + limits.whole)
        self._nearly_over = False
        self._push: Push
        self._arrived: list[Item] | ModelError | None = None
        """What has come while the reader waited and was not for pushing."""
        self.over = False
        self.first: list[Item] = []

    async def begin(self) -> None:
        """Read up to the first item. Until then nobody has seen anything, and all may be tried again."""
        self._watch.waiting_since = self._time()
        self.first = await self.read()
        self._watch.allow(self._limits.idle)
        while not self.first and not self.over:
            self.first = await self.read()

    async def read(self) -> list[Item]:
        """The items of the next packet, maybe none; sets `over` with the last ones."""
        watch = self._watch
        watch.waiting_since = self._time()
        try:
            data = await self._response.read()
        except HttpError:
            return self._broken()
        watch.waiting_since = math.inf
        reader = self._reader
        items, self._arrived = self._arrived, None
        if isinstance(items, ModelError):
            raise items
        if data:
            items = [*(items or ()), *reader.feed(data)]
        elif items is None:
            return self._finish([])
        if reader.done:
            if not self._response.over:
                await self._say_goodbye()
            return self._finish(items)
        if reader.finish_reason is not None and not self._nearly_over:
            self._nearly_over = True
            watch.allow(AFTER_THE_END)
        return items

    def push_to(self, push: Push) -> None:
        """From now on, text that comes while the reader waits goes there without waking it."""
        self._push = push
        self._response.tap = self._tap

    def _tap(self, data: bytes) -> bool:
        """Push what is only text; keep anything else for the reader, who knows what to do with it."""
        self._watch.waiting_since = self._time()
        reader = self._reader
        try:
            if text := reader.only_text(data):
                self._push((text,))
                return True
            items = reader.feed(data)
        except ModelError as error:
            self._arrived = error
            return False
        texts = [item.text for item in items if isinstance(item, TextDelta)]
        if reader.finish_reason is None and not reader.done and len(texts) == len(items):
            if texts:
                self._push(texts)
            return True
        self._arrived = items
        return False

    def close(self) -> None:
        """Hang up, unless the answer was read to its end; safe to call twice."""
        self._watch.stop()
        self._response.close()

    def _finish(self, items: list[Item]) -> list[Item]:
        self.over = True
        self._watch.stop()
        return items + self._reader.finish()

    def _broken(self) -> list[Item]:
        if self._reader.finish_reason is not None:
            return self._finish([])
        if self._watch.fired:
            raise ModelTimeout() from None
        raise ModelStreamCut() from None

    async def _say_goodbye(self) -> None:
        try:
            async with asyncio.timeout(GOODBYE):
                while await self._response.read():
                    pass
        except (HttpError, TimeoutError):
            return
