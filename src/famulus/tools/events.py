"""What this room tells the rooms above, after the commit."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ToolRulesChanged:
    """An organization has other rules for its assistants' tools."""

    organization_id: str
