"""The OpenAI Chat Completions wire: OpenAI itself, Ollama, vLLM, llama.cpp and all that speak like them."""

from famulus.llm.health import Health
from famulus.llm.http_stream import Clients
from famulus.llm.limits import Limits
from famulus.llm.openai_request import encode_request
from famulus.llm.openai_stream import AnswerReader
from famulus.llm.protocol import Request
from famulus.llm.retry import RetryPolicy
from famulus.llm.wire import Wire, split_address, usable_key

OPENAI_URL = "https://api.openai.com/v1"


def completions_url(base_url: str) -> str:
    """The address to post chat completions to, as `api_url` makes it."""
    return api_url(base_url, "/chat/completions")


def api_url(base_url: str, path: str) -> str:
    """The address to post to under one of the API's paths. Raises ConfigurationError.

    An address without a path gets `/v1`, where all known servers answer; a path is taken as written, with or
    without its last slash, with or without the API's own path:

        http://localhost:11434            → http://localhost:11434/v1/chat/completions
        http://localhost:8080/v1/         → http://localhost:8080/v1/chat/completions
        https://models.example/openai/v1  → https://models.example/openai/v1/chat/completions
    """
    parts = split_address(
        base_url,
        setting="FAMULUS_MODEL_BASE_URL",
        example="http://localhost:11434/v1",
        key_setting="OPENAI_API_KEY",
    )
    before = parts.path.rstrip("/").removesuffix("/chat/completions").removesuffix("/responses") or "/v1"
    return f"{parts.scheme}://{parts.netloc}{before}{path}"


class OpenAIChatModel(Wire):
    """A model behind a Chat Completions server."""

    _address_setting = "FAMULUS_MODEL_BASE_URL"

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
        health: Health | None = None,
    ) -> None:
        """`kind` is `openai` or `compatible`; `base_url` as `completions_url` takes it, None for OpenAI's own.

        Models that are given the same `clients` share their connections, and closing one closes them.
        """
        self.kind = kind
        self.name = name
        secret = usable_key(api_key, setting="OPENAI_API_KEY")
        super().__init__(
            completions_url(base_url or OPENAI_URL),
            {"Authorization": f"Bearer {secret}"} if secret else {},
            secret=secret,
            limits=limits,
            retry=retry,
            clients=clients,
            health=health,
        )

    def _encode(self, request: Request) -> bytes:
        return encode_request(request, model=self.name, openai=self.kind == "openai")

    def _reader(self) -> AnswerReader:
        return AnswerReader(model=self.name, secret=self._secret)
