"""What this room tells the rooms above, after the commit."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ToolRulesChanged:
    """An organization has other rules for its assistants' tools."""

    organization_id: str


@dataclass(frozen=True, slots=True)
class ConnectionsChanged:
    """An organization's connections, or what was found at their other side, are different."""

    organization_id: str
