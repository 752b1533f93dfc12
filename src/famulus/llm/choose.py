"""Which model answers, by one string.

offline            no model: quotes the course material
scripted:PATH      plays the replies of a Markdown file
openai:NAME        OpenAI; needs a key
anthropic:NAME     Anthropic; needs a key
compatible:NAME    any server with OpenAI's Chat Completions: Ollama, vLLM, llama.cpp …; needs its address
responses:NAME     OpenAI's Responses; needs a key, or the address of another server that speaks it
pydantic-ai:P:NAME a model of provider P over pydantic-ai, an extra; keys are the provider's own variables

Several of them with `|` between are a chain: where the first cannot begin to answer, the next does.
"""

from functools import partial
from pathlib import Path

from famulus.kernel.errors import ConfigurationError
from famulus.llm.anthropic import AnthropicModel
from famulus.llm.bridge import BridgedModel
from famulus.llm.fallback import FallbackModel
from famulus.llm.health import Healths
from famulus.llm.http_stream import Clients
from famulus.llm.limits import Limits
from famulus.llm.offline import OfflineModel
from famulus.llm.openai_chat import OpenAIChatModel
from famulus.llm.openai_responses import OpenAIResponsesModel
from famulus.llm.protocol import Model
from famulus.llm.retry import RetryPolicy
from famulus.llm.scripted import ScriptedModel

DEFAULT_OPENAI_MODEL = "gpt-5.4-mini"
"""What a bare OpenAI key gets: small, quick to its first word, good with tools, and not a preview."""

DEFAULT_ANTHROPIC_MODEL = "claude-haiku-4-5"
"""What a bare key of Anthropic gets, for the same reasons."""

AVAILABLE = (
    "Write `offline`, `scripted:PATH`, `openai:NAME`, `responses:NAME`, `anthropic:NAME`, `compatible:NAME` or "
    "`pydantic-ai:PROVIDER:NAME`"
)
WIRES = {"anthropic": AnthropicModel, "responses": OpenAIResponsesModel}
MOST, LONGEST = 5, 200
"""Models in a chain, and characters of it."""


def default_choice(openai_api_key: str | None, anthropic_api_key: str | None = None) -> str:
    """The choice when none was made: OpenAI when its key is there, then Anthropic, otherwise no model at all."""
    if openai_api_key:
        return f"openai:{DEFAULT_OPENAI_MODEL}"
    return f"anthropic:{DEFAULT_ANTHROPIC_MODEL}" if anthropic_api_key else "offline"


def open_model(
    choice: str,
    *,
    base_url: str | None = None,
    openai_api_key: str | None = None,
    anthropic_base_url: str | None = None,
    anthropic_api_key: str | None = None,
    limits: Limits | None = None,
    retry: RetryPolicy | None = None,
    clients: Clients | None = None,
    healths: Healths | None = None,
) -> Model:
    """The model that `choice` names, not connected yet. Raises ConfigurationError saying what to write.

    `base_url` is the address of a compatible server; with `openai:` it takes the place of OpenAI's own, as
    `anthropic_base_url` does of Anthropic's. Models that are given the same `healths` share what is known of servers.
    """
    open_one = partial(
        _open_one,
        base_url=base_url,
        openai_api_key=openai_api_key,
        anthropic_base_url=anthropic_base_url,
        anthropic_api_key=anthropic_api_key,
        limits=limits,
        retry=retry,
        clients=clients,
        healths=healths or Healths(),
    )
    choices = [each.strip() for each in choice.split("|")]
    if len(choices) > MOST or len(choice) > LONGEST:
        raise ConfigurationError(
            f"FAMULUS_MODEL: a chain has at most {MOST} models and {LONGEST} characters; leave some out."
        )
    models = [open_one(each) for each in choices]
    return models[0] if len(models) == 1 else FallbackModel(models)


def _open_one(
    choice: str,
    *,
    base_url: str | None,
    openai_api_key: str | None,
    anthropic_base_url: str | None,
    anthropic_api_key: str | None,
    limits: Limits | None,
    retry: RetryPolicy | None,
    clients: Clients | None,
    healths: Healths,
) -> Model:
    kind, _, name = choice.strip().partition(":")
    kind, name = kind.strip().lower(), name.strip()
    match kind:
        case "offline" if not name:
            return OfflineModel()
        case "scripted" if name:
            return ScriptedModel(Path(name).expanduser())
        case "pydantic-ai" if all(name.partition(":")):
            return BridgedModel(name, limits=limits, retry=retry, health=healths.get(kind, name))
        case "openai" if name and openai_api_key:
            address, key = base_url, openai_api_key
        case "compatible" | "responses" if name and (base_url or (kind == "responses" and openai_api_key)):
            address, key = base_url, openai_api_key
        case "anthropic" if name and anthropic_api_key:
            address, key = anthropic_base_url, anthropic_api_key
        case _:
            raise ConfigurationError(_complaint(choice, kind, name))
    wire = WIRES.get(kind, OpenAIChatModel)
    return wire(
        kind=kind,
        name=name,
        base_url=address,
        api_key=key,
        limits=limits,
        retry=retry,
        clients=clients,
        health=healths.get(kind, address),
    )


def _complaint(choice: str, kind: str, name: str) -> str:
    """What is wrong with a choice that cannot be opened, and what to write."""
    this = f"FAMULUS_MODEL={choice}"
    match kind:
        case "openai" | "anthropic" if name:
            return f"{this} needs a key; set {kind.upper()}_API_KEY."
        case "responses" if name:
            return f"{this} needs a key; set OPENAI_API_KEY, or FAMULUS_MODEL_BASE_URL for another server."
        case "compatible" if name:
            return f"{this} needs the server's address; set FAMULUS_MODEL_BASE_URL, such as http://localhost:11434/v1."
        case "pydantic-ai":
            return f"{this} has to name a provider and a model, such as pydantic-ai:google:gemini-3-flash."
        case "openai" | "anthropic" | "compatible" | "responses" | "scripted":
            return f"{this} lacks what comes after the colon. {AVAILABLE}."
        case _ if not kind or name:
            return f"{this} is not known. {AVAILABLE}."
        case _ if kind.startswith("claude"):
            return f"{this} is not known. {AVAILABLE}. For a model of Anthropic write `anthropic:{kind}`."
        case _:
            return f"{this} is not known. {AVAILABLE}. For a model of OpenAI write `openai:{kind}`."
