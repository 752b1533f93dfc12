"""The Anthropic Messages wire: Anthropic itself, and gateways that speak like it."""

from famulus.llm.anthropic_request import encode_request
from famulus.llm.anthropic_stream import MessageReader
from famulus.llm.health import Health
from famulus.llm.http_stream import Clients
from famulus.llm.limits import Limits
from famulus.llm.protocol import Request
from famulus.llm.retry import RetryPolicy
from famulus.llm.wire import Wire, split_address, usable_key

ANTHROPIC_URL = "https://api.anthropic.com"
VERSION = "2023-06-01"
"""The version of the wire; Anthropic adds to it without changing what is there."""


def messages_url(base_url: str) -> str:
    """The address to post to. Raises ConfigurationError.

    A path is kept, with or without its last slash, with or without `/v1` or `/v1/messages`:

        https://api.anthropic.com              → https://api.anthropic.com/v1/messages
        https://models.example/anthropic/v1/   → https://models.example/anthropic/v1/messages
    """
    parts = split_address(
        base_url, setting="ANTHROPIC_BASE_URL", example=ANTHROPIC_URL, key_setting="ANTHROPIC_API_KEY"
    )
    path = parts.path.rstrip("/").removesuffix("/messages").removesuffix("/v1")
    return f"{parts.scheme}://{parts.netloc}{path}/v1/messages"


class AnthropicModel(Wire):
    """A model behind a Messages server."""

    _address_setting = "ANTHROPIC_BASE_URL"

    def __init__(
        self,
        *,
        kind: str = "anthropic",
        name: str,
        base_url: str | None,
        api_key: str | None,
        limits: Limits | None = None,
        retry: RetryPolicy | None = None,
        clients: Clients | None = None,
        health: Health | None = None,
    ) -> None:
        """`base_url` as `messages_url` takes it, None for Anthropic's own.

        Models that are given the same `clients` share their connections, and closing one closes them.
        """
        self.kind = kind
        self.name = name
        secret = usable_key(api_key, setting="ANTHROPIC_API_KEY")
        super().__init__(
            messages_url(base_url or ANTHROPIC_URL),
            {"anthropic-version": VERSION} | ({"x-api-key": secret} if secret else {}),
            secret=secret,
            limits=limits,
            retry=retry,
            clients=clients,
            health=health,
        )

    def _encode(self, request: Request) -> bytes:
        return encode_request(request, model=self.name)

    def _reader(self) -> MessageReader:
        return MessageReader(model=self.name, secret=self._secret)
