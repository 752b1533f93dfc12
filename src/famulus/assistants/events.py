"""What the registry tells the rooms above, after the commit that made it true."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AssistantChanged:
    """An assistant answers differently from now on, or no longer."""

    assistant_id: str
