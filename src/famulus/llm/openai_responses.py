"""The OpenAI Responses wire: OpenAI itself, and servers that speak like it."""

from famulus.llm.health import Health
from famulus.llm.http_stream import Clients
from famulus.llm.limits import Limits
from famulus.llm.openai_chat import OPENAI_URL, api_url
from famulus.llm.protocol import Request
from famulus.llm.responses_request import encode_request
from famulus.llm.responses_stream import ResponseReader
from famulus.llm.retry import RetryPolicy
from famulus.llm.wire import Wire, usable_key


class OpenAIResponsesModel(Wire):
    """A model behind a Responses server. Nothing is kept there, so each step is told everything."""

    _address_setting = "FAMULUS_MODEL_BASE_URL"

    def __init__(
        self,
        *,
        kind: str = "responses",
        name: str,
        base_url: str | None,
        api_key: str | None,
        limits: Limits | None = None,
        retry: RetryPolicy | None = None,
        clients: Clients | None = None,
        health: Health | None = None,
    ) -> None:
        """`base_url` as `api_url` takes it, None for OpenAI's own.

        Models that are given the same `clients` share their connections, and closing one closes them.
        """
        self.kind = kind
        self.name = name
        secret = usable_key(api_key, setting="OPENAI_API_KEY")
        super().__init__(
            api_url(base_url or OPENAI_URL, "/responses"),
            {"Authorization": f"Bearer {secret}"} if secret else {},
            secret=secret,
            limits=limits,
            retry=retry,
            clients=clients,
            health=health,
        )

    def _encode(self, request: Request) -> bytes:
        return encode_request(request, model=self.name)

    def _reader(self) -> ResponseReader:
        return ResponseReader(model=self.name, secret=self._secret)
