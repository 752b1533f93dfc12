"""Which model answers, by one string.

offline            no model: quotes the course material
scripted:PATH      plays the replies of a Markdown file
openai:NAME        OpenAI; needs a key
compatible:NAME    any server with OpenAI's Chat Completions: Ollama, vLLM, llama.cpp …; needs its address
"""

from pathlib import Path

from famulus.kernel.errors import ConfigurationError
from famulus.llm.http_stream import Clients
from famulus.llm.limits import Limits
from famulus.llm.offline import OfflineModel
from famulus.llm.openai_chat import OpenAIChatModel
from famulus.llm.protocol import Model
from famulus.llm.retry import RetryPolicy
from famulus.llm.scripted import ScriptedModel

DEFAULT_OPENAI_MODEL = "gpt-5.4-mini"
"""What a bare OpenAI key gets: small, quick to its first word, good with tools, and not a preview."""

AVAILABLE = "Write `offline`, `scripted:PATH`, `openai:NAME` or `compatible:NAME`"


def default_choice(openai_api_key: str | None) -> str:
    """The choice when none was made: OpenAI when its key is there, otherwise no model at all."""
    return f"openai:{DEFAULT_OPENAI_MODEL}" if openai_api_key else "offline"


def open_model(
    choice: str,
    *,
    base_url: str | None = None,
    openai_api_key: str | None = None,
    limits: Limits | None = None,
    retry: RetryPolicy | None = None,
    clients: Clients | None = None,
) -> Model:
    """The model that `choice` names, not connected yet. Raises ConfigurationError saying what to write.

    `base_url` is the address of a compatible server; with `openai:` it takes the place of OpenAI's own.
    """
    kind, _, name = choice.strip().partition(":")
    kind, name = kind.strip().lower(), name.strip()
    match kind:
        case "offline" if not name:
            return OfflineModel()
        case "scripted" if name:
            return ScriptedModel(Path(name).expanduser())
        case "openai" if name and openai_api_key:
            address = base_url
        case "compatible" if name and base_url:
            address = base_url
        case _:
            raise ConfigurationError(_complaint(choice, kind, name))
    return OpenAIChatModel(
        kind=kind,
        name=name,
        base_url=address,
        api_key=openai_api_key,
        limits=limits,
        retry=retry,
        clients=clients,
    )


def _complaint(choice: str, kind: str, name: str) -> str:
    """What is wrong with a choice that cannot be opened, and what to write."""
    this = f"FAMULUS_MODEL={choice}"
    match kind:
        case "openai" if name:
            return f"{this} needs a key; set OPENAI_API_KEY."
        case "compatible" if name:
            return f"{this} needs the server's address; set FAMULUS_MODEL_BASE_URL, such as http://localhost:11434/v1."
        case "openai" | "compatible" | "scripted":
            return f"{this} lacks what comes after the colon. {AVAILABLE}."
        case "anthropic":
            return f"{this}: this wire comes later. {AVAILABLE}."
        case _:
            hint = f" For a model of OpenAI write `openai:{kind}`." if kind and not name else ""
            return f"{this} is not known. {AVAILABLE}.{hint}"
