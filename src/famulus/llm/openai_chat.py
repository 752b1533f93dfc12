"""The OpenAI Chat Completions wire: OpenAI itself, Ollama, vLLM, llama.cpp and all that speak like them.

It stands on a client of our own (`http_stream`), because relaying tokens is what this program does all day.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import closing
from functools import partial
from urllib.parse import urlsplit

from famulus.kernel.errors import ConfigurationError
from famulus.llm.errors import ModelError, ModelNonsense, ModelTimeout, ModelUnavailable, ModelUnreachable
from famulus.llm.http_stream import Answer, BrokenOff, CannotConnect, Clients, NotHttp
from famulus.llm.limits import Limits
from famulus.llm.openai_exchange import Exchange
from famulus.llm.openai_request import encode_request
from famulus.llm.openai_stream import AnswerReader
from famulus.llm.protocol import Item, Push, Request
from famulus.llm.provider_errors import error_for, read_message, retry_after
from famulus.llm.retry import RetryPolicy, retrying

OPENAI_URL = "https://api.openai.com/v1"
MAX_ERROR_BODY = 1 << 16


def completions_url(base_url: str) -> str:
    """The address to post to. Raises ConfigurationError.

    An address without a path gets `/v1`, where all known servers answer; a path is taken as written, with or
    without its last slash, with or without `/chat/completions`:

        http://localhost:11434            → http://localhost:11434/v1/chat/completions
        http://localhost:8080/v1/         → http://localhost:8080/v1/chat/completions
        https://models.example/openai/v1  → https://models.example/openai/v1/chat/completions
    """
    try:
        parts = urlsplit(base_url.strip())
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        raise ConfigurationError(_NO_ADDRESS) from None
    if not usable:
        raise ConfigurationError(_NO_ADDRESS)
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ConfigurationError(
            "FAMULUS_MODEL_BASE_URL must be a plain address without user, password, `?` or `#`; "
            "a key belongs into OPENAI_API_KEY."
        )
    path = parts.path.rstrip("/").removesuffix("/chat/completions") or "/v1"
    return f"{parts.scheme}://{parts.netloc}{path}/chat/completions"


_NO_ADDRESS = "FAMULUS_MODEL_BASE_URL must be a whole address, such as http://localhost:11434/v1."


def _usable_key(key: str | None) -> str | None:
    """The key without the blanks and line ends that copying leaves. Raises ConfigurationError."""
    key = (key or "").strip()
    if not (key.isascii() and key.isprintable()):
        raise ConfigurationError("OPENAI_API_KEY has characters that no key has; copy it once more.")
    return key or None


class OpenAIChatModel:
    """A model behind a Chat Completions server."""

    def __init__(
        self,
        *,
        kind: str,
        name: str,
        base_url: str | None,
        api_key: str | None,
        limits: Limits | None = None,
        retry: RetryPolicy | None = None,
        clients: Clients | None = None,
    ) -> None:
        """`kind` is `openai` or `compatible`; `base_url` as `completions_url` takes it, None for OpenAI's own.

        Models that are given the same `clients` share their connections, and closing one closes them.
        """
        self.kind = kind
        self.name = name
        self._secret = _usable_key(api_key)
        self._limits = limits or Limits()
        self._retry = retry or RetryPolicy()
        headers = {
            "Content-Type": "application/json",
            "Accept": "text/event-stream",
            "Accept-Encoding": "identity",
        }
        if self._secret:
            headers["Authorization"] = f"Bearer {self._secret}"
        url = completions_url(base_url or OPENAI_URL)
        self._client = (clients or Clients()).get(url, headers, connect_timeout=self._limits.connect)

    async def stream(
        self, request: Request, push: Push | None = None
    ) -> AsyncGenerator[Sequence[Item], None]:
        """Answer `request`. Failures before the first item are tried again, later ones are not."""
        body = encode_request(request, model=self.name, openai=self.kind == "openai")
        exchange = await retrying(partial(self._open, body), self._retry)
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

    async def close(self) -> None:
        """Close the connections; safe to call twice."""
        await self._client.close()

    async def _open(self, body: bytes) -> Exchange:
        """Send the request and read up to the first item."""
        began = asyncio.get_running_loop().time()
        response = await self._post(body)
        reader = AnswerReader(model=self.name, secret=self._secret)
        exchange = Exchange(response, reader, self._limits, began=began)
        try:
            await exchange.begin()
        except BaseException:
            exchange.close()
            raise
        return exchange

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
        )
