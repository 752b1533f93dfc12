"""The settings that choose models, for answers and for finding passages by meaning, and the index of passages."""

from pathlib import Path

from pydantic import AliasChoices, Field, SecretStr
from pydantic_settings import BaseSettings

from famulus.kernel.effort import Effort
from famulus.kernel.prices import ModelPrice

PREFIX = "FAMULUS_"


def names(field: str, *customary: str) -> AliasChoices:
    """The variables that a field is read from, the first that is set."""
    return AliasChoices(PREFIX + field.upper(), *customary)


class ModelSettings(BaseSettings):
    """What is set of models. Keys are only ever read from the environment."""

    model: str | None = Field(
        None,
        validation_alias=names("model"),
        description="`offline`, `scripted:PATH`, `openai:NAME`, `responses:NAME`, `anthropic:NAME`, `compatible:NAME`,"
        " or a chain of them with `|` between; unset: by key.",
    )
    reasoning_effort: Effort | None = Field(
        None,
        validation_alias=names("reasoning_effort"),
        description="How much `FAMULUS_MODEL` thinks where an assistant does not say; unset: the provider's default.",
    )
    model_base_url: str | None = Field(
        None,
        validation_alias=names("model_base_url", "OPENAI_BASE_URL"),
        description="Address of a compatible model server (Ollama, vLLM, llama.cpp …), such as http://localhost:11434/v1.",
    )
    openai_api_key: SecretStr | None = Field(
        None,
        validation_alias=names("openai_api_key", "OPENAI_API_KEY"),
        description="Key for `openai:` and, where the server asks for one, `compatible:`.",
    )
    anthropic_api_key: SecretStr | None = Field(
        None,
        validation_alias=names("anthropic_api_key", "ANTHROPIC_API_KEY"),
        description="Key for `anthropic:`.",
    )
    anthropic_base_url: str | None = Field(
        None,
        validation_alias=names("anthropic_base_url", "ANTHROPIC_BASE_URL"),
        description="Address of a gateway that speaks Anthropic's Messages; unset: https://api.anthropic.com.",
    )
    model_prices: dict[str, ModelPrice] = Field(
        {},
        validation_alias=names("model_prices"),
        description="JSON of US dollars per million tokens, by model; see [Costs](../how-to/connect-a-model.md#costs).",
    )
    embedding: str | None = Field(
        None,
        validation_alias=names("embedding"),
        description="Finds passages by meaning: `local`, `openai:NAME`, `compatible:NAME` or `none`; unset: `local`.",
    )
    embedding_base_url: str | None = Field(
        None,
        validation_alias=names("embedding_base_url"),
        description="Address of a server of embeddings, such as http://localhost:11434/v1.",
    )
    embedding_api_key: SecretStr | None = Field(
        None,
        validation_alias=names("embedding_api_key"),
        description="Its key; unset: OPENAI_API_KEY, for `openai:` alone.",
    )
    index_url: str | None = Field(
        None,
        pattern="^https?://",
        validation_alias=names("index_url"),
        description="Address of a Qdrant server that has the index of passages; unset: the database has it.",
    )
    index_api_key: SecretStr | None = Field(
        None,
        validation_alias=names("index_api_key"),
        description="Key of that server, where it asks for one.",
    )
    index_name: str = Field(
        "famulus",
        pattern="^[a-z][a-z0-9-]{0,39}$",
        validation_alias=names("index_name"),
        description="What collections there are called; another for each installation that shares the server.",
    )
    transcription_model: str | None = Field(
        None,
        validation_alias=names("transcription_model"),
        description="Model for dictation at an OpenAI-compatible `/audio/transcriptions`; unset: no dictation.",
    )
    transcription_base_url: str | None = Field(
        None,
        validation_alias=names("transcription_base_url"),
        description="Address of that server, such as http://localhost:8080/v1; unset: https://api.openai.com/v1.",
    )
    use_mock: bool = Field(
        False,
        validation_alias=names("use_mock", "MAIN_AGENT_USE_MOCK"),
        description="Answer from the script in `mock_messages_file` instead of a model.",
    )
    mock_messages_file: Path | None = Field(
        None,
        validation_alias=names("mock_messages_file", "MAIN_AGENT_MOCK_MESSAGES_FILE"),
        description="Markdown file of replies parted by `--- message` lines.",
    )
    model_first_token_timeout: float = Field(
        60,
        gt=0,
        le=600,
        validation_alias=names("model_first_token_timeout"),
        description="Seconds to a first token.",
    )
    model_idle_timeout: float = Field(
        60,
        gt=0,
        le=600,
        validation_alias=names("model_idle_timeout"),
        description="Seconds between two tokens.",
    )
