"""Which model answers, by one string.

offline            no model: quotes the course material
scripted:PATH      plays the replies of a Markdown file
openai:NAME        OpenAI; needs a key
compatible:NAME    any server with OpenAI's Chat Completions: Ollama, vLLM, llama.cpp …; needs its address
"""

from pathlib import Path

from famulus.kernel.errors import ConfigurationError
from famulus.llm.offline import OfflineModel
from famulus.llm.openai_chat import OPENAI_URL, OpenAIChatModel
from famulus.llm.openai_exchange import Limits
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
) -> Model:
    """The model that `choice` names, not connected yet. Raises ConfigurationError saying what to write.

    `base_url` is the address of a compatible server; with `openai:` it takes the place of OpenAI's own.
    """
    kind, separator, name = choice.strip().partition(":")
    kind, name = kind.strip().lower(), name.strip()
    match kind:
        case "offline" if not name:
            return OfflineModel()
        case "scripted" if name:
            return ScriptedModel(Path(name).expanduser())
        case "openai" if name:
            if not openai_api_key:
                raise ConfigurationError(f"FAMULUS_MODEL={choice} needs a key; set OPENAI_API_KEY.")
        case "compatible" if name:
            if not base_url:
                raise ConfigurationError(
                    f"FAMULUS_MODEL={choice} needs the server's address; set FAMULUS_MODEL_BASE_URL, "
                    "such as http://localhost:11434/v1."
                )
        case "anthropic":
            raise ConfigurationError(f"FAMULUS_MODEL={choice}: this wire comes later. {AVAILABLE}.")
        case "scripted" | "openai" | "compatible":
            raise ConfigurationError(f"FAMULUS_MODEL={choice} lacks what comes after the colon. {AVAILABLE}.")
        case _:
            hint = (
                f" For a model of OpenAI write `openai:{choice}`." if not separator and choice.strip() else ""
            )
            raise ConfigurationError(f"FAMULUS_MODEL={choice} is not known. {AVAILABLE}.{hint}")
    return OpenAIChatModel(
        kind=kind,
        name=name,
        base_url=base_url or OPENAI_URL,
        api_key=openai_api_key,
        limits=limits,
        retry=retry,
    )
