"""Servers of the Model Context Protocol as sources of tools: what they say is pinned, nothing is offered to them."""
