"""The rules of tools, and connections to others, over HTTP."""
