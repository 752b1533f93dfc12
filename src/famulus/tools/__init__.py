"""Tools: what an assistant may do, always as the asker and never with rights of its own."""
