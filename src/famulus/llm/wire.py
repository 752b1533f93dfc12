"""What the wires to model servers have in common: sending, trying again, time limits, and errors of our own.

They stand on a client of our own (`http_stream`), because relaying tokens is what this program does all day.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import closing
from functools import partial
from urllib.parse import SplitResult, urlsplit

from famulus.kernel.errors import ConfigurationError
from famulus.llm.errors import ModelError, ModelNonsense, ModelTimeout, ModelUnavailable, ModelUnreachable
from famulus.llm.exchange import Exchange
from famulus.llm.health import Health
from famulus.llm.http_stream import Answer, BrokenOff, CannotConnect, Clients, NotHttp
from famulus.llm.limits import Limits
from famulus.llm.protocol import Item, Push, Request
from famulus.llm.provider_errors import error_for, read_message, retry_after
from famulus.llm.reader import Reader
from famulus.llm.retry import RetryPolicy, retrying

MAX_ERROR_BODY = 1 << 16


def split_address(base_url: str, *, setting: str, example: str, key_setting: str) -> SplitResult:
    """The parts of a plain address; what is wrong with another one names its `setting`. Raises ConfigurationError."""
    complaint = f"{setting} must be a whole address, such as {example}."
    try:
        parts = urlsplit(base_url.strip())
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        raise ConfigurationError(complaint) from None
    if not usable:
        raise ConfigurationError(complaint)
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ConfigurationError(
            f"{setting} must be a plain address without user, password, `?` or `#`; "
            f"a key belongs into {key_setting}."
        )
    return parts


def usable_key(key: str | None, *, setting: str) -> str | None:
    """The key without the blanks and line ends that copying leaves. Raises ConfigurationError."""
    key = (key or "").strip()
    if not (key.isascii() and key.isprintable()):
        raise ConfigurationError(f"{setting} has characters that no key has; copy it once more.")
    return key or None


class Caller:
    """A model behind an HTTP server: what it is sent, and what is made of its refusals."""

    kind: str
    name: str
    _address_setting: str
    """The setting to mend when the server's address is wrong."""
    _accepts = "application/json"

    def __init__(
        self,
        url: str,
        headers: Mapping[str, str],
        *,
        secret: str | None,
        limits: Limits | None,
        retry: RetryPolicy | None,
        clients: Clients | None,
        health: Health | None = None,
    ) -> None:
        """`headers` go with every request; `secret` is what errors must not repeat of them."""
        self._health = health or Health(self.kind)
        self._secret = secret
        self._limits = limits or Limits()
        self._retry = retry or RetryPolicy()
        customary = {
            "Content-Type": "application/json",
            "Accept": self._accepts,
            "Accept-Encoding": "identity",
        }
        self._client = (clients or Clients()).get(
            url, customary | dict(headers), connect_timeout=self._limits.connect
        )

    async def close(self) -> None:
        """Close the connections; safe to call twice."""
        await self._client.close()

    async def _post(self, body: bytes) -> Answer:
        """The response once its head is there and says 200; every other way out is a ModelError."""
        try:
            async with asyncio.timeout(min(self._limits.first_byte, self._limits.whole)):
                response = await self._client.post(body)
                if response.status == 200:
                    return response
                with closing(response):
                    raise await self._refusal(response)
        except CannotConnect:
            raise ModelUnreachable() from None
        except TimeoutError:
            raise ModelTimeout() from None
        except NotHttp:
            raise ModelNonsense() from None
        except BrokenOff:
            raise ModelUnavailable(
                "The model's server hung up without an answer; send the message again."
            ) from None

    async def _refusal(self, response: Answer) -> ModelError:
        said = bytearray()
        while len(said) < MAX_ERROR_BODY and (piece := await response.read()):
            said += piece
        return error_for(
            response.status,
            model=self.name,
            message=read_message(bytes(said[:MAX_ERROR_BODY])),
            secret=self._secret,
            wait=retry_after(response.headers.get("retry-after")),
            address_setting=self._address_setting,
        )


class Wire(Caller, ABC):
    """One that streams; each wire adds how it is asked and how its answers are read."""

    _accepts = "text/event-stream"

    @abstractmethod
    def _encode(self, request: Request) -> bytes:
        """The body to post."""

    @abstractmethod
    def _reader(self) -> Reader:
        """A reader for one answer."""

    async def stream(
        self, request: Request, push: Push | None = None
    ) -> AsyncGenerator[Sequence[Item], None]:
        """Answer `request`. Failures before the first item are tried again, later ones are not."""
        exchange = await self._begin(self._encode(request))
        try:
            items = exchange.first
            if push is not None:
                exchange.push_to(push)
            while True:
                if items:
                    yield items
                if exchange.over:
                    return
                items = await exchange.read()
        finally:
            exchange.close()

    async def _begin(self, body: bytes) -> Exchange:
        """Ask until an answer begins, as long as it may be tried again and the provider is well enough."""
        health = self._health
        health.admit()
        try:
            exchange = await retrying(partial(self._open, body), self._retry, may=self._may_retry)
        except ModelError as error:
            health.failed(error)
            raise
        except BaseException:
            health.gave_up()
            raise
        health.succeeded()
        return exchange

    def _may_retry(self, error: ModelError) -> bool:
        if not self._health.may_retry():
            return False
        self._health.failed(error)
        return True

    async def _open(self, body: bytes) -> Exchange:
        """Send the request and read up to the first item."""
        began = asyncio.get_running_loop().time()
        response = await self._post(body)
        exchange = Exchange(response, self._reader(), self._limits, began=began)
        try:
            await exchange.begin()
        except BaseException:
            exchange.close()
            raise
        return exchange
