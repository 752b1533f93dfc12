"""The models that are open in this process, by choice: one each, opened when first asked for and closed at the end."""

from collections.abc import Callable

from famulus.kernel.effort import Effort
from famulus.llm.health import Healths
from famulus.llm.protocol import Model


class Models:
    """Opens models by their choice strings; `default` answers for assistants that choose none."""

    def __init__(
        self,
        open_model: Callable[[str], Model],
        default: str,
        healths: Healths | None = None,
        *,
        effort: Effort | None = None,
    ) -> None:
        self.default = default
        self.effort: Effort | None = effort
        """How much the default model is asked to think, where an assistant does not say."""
        self.healths = healths or Healths()
        """How the providers that have been asked are doing."""
        self._open = open_model
        self._models: dict[str, Model] = {}

    def get(self, choice: str | None = None) -> Model:
        """The model of a choice; raises ConfigurationError saying what to write instead."""
        choice = choice or self.default
        model = self._models.get(choice)
        if model is None:
            model = self._models[choice] = self._open(choice)
        return model

    async def close(self) -> None:
        """Close every model."""
        models, self._models = self._models, {}
        for model in models.values():
            await model.close()
