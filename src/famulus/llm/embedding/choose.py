"""Which model turns texts into vectors, by one string.

local              all-MiniLM-L6-v2 on this machine
openai:NAME        OpenAI; needs a key
compatible:NAME    any server with OpenAI's embeddings: Ollama, vLLM, llama.cpp …; needs its address
none               none: search goes by words alone
"""

from dataclasses import dataclass
from pathlib import Path

from famulus.kernel.errors import ConfigurationError
from famulus.llm.embedding.build import missing
from famulus.llm.embedding.local import MODEL_ID, LocalEmbedder
from famulus.llm.embedding.protocol import Embedder
from famulus.llm.embedding.remote import ADDRESS, KEY, RemoteEmbedder

AVAILABLE = "Write `local`, `openai:NAME`, `compatible:NAME` or `none`"


@dataclass(frozen=True, slots=True)
class Places:
    """What models need besides their names."""

    models: Path
    """The folder of those that run here."""
    base_url: str | None = None
    api_key: str | None = None


class Embedders:
    """The models that are open in this process, by choice or by id: one each, opened when first asked for."""

    def __init__(self, choice: str | None, places: Places) -> None:
        """None takes the local model where it can run. Raises ConfigurationError for a choice that cannot work."""
        self._places = places
        self._open: dict[str, Embedder] = {}
        self.lacking: str | None = None
        """What to install for the local model, which would have been taken."""
        if choice is None:
            self.lacking = missing(places.models)
            choice = "none" if self.lacking else "local"
        self.choice = choice.strip()
        self.chosen = self.get(self.choice) if self.choice != "none" else None
        """The model that all chunks are to have vectors of; None for none."""

    def get(self, choice: str) -> Embedder:
        """The model of a choice, or with an id. Raises ConfigurationError saying what to write instead."""
        embedder = _opened(choice, self._places) if choice not in self._open else self._open[choice]
        self._open[choice] = self._open[embedder.model_id] = embedder
        return embedder

    async def close(self) -> None:
        """Close every model."""
        models, self._open = self._open, {}
        for model in set(models.values()):
            await model.close()


def _opened(choice: str, places: Places) -> Embedder:
    kind, _, name = choice.partition(":")
    kind, name = kind.strip().lower(), name.strip()
    match kind:
        case "local" if choice in ("local", MODEL_ID):
            if lacking := missing(places.models):
                raise ConfigurationError(
                    f"FAMULUS_EMBEDDING=local needs {lacking}; install it, or write `none`."
                )
            return LocalEmbedder(places.models)
        case "openai" if name and places.api_key:
            pass
        case "compatible" if name and places.base_url:
            pass
        case "openai" if name:
            raise ConfigurationError(f"FAMULUS_EMBEDDING={choice} needs a key; set {KEY} or OPENAI_API_KEY.")
        case "compatible" if name:
            raise ConfigurationError(f"FAMULUS_EMBEDDING={choice} needs the server's address; set {ADDRESS}.")
        case _:
            raise ConfigurationError(f"FAMULUS_EMBEDDING={choice} is not known. {AVAILABLE}.")
    return RemoteEmbedder(kind=kind, name=name, base_url=places.base_url, api_key=places.api_key)
