"""The doors that speak as OpenAI's API does: an assistant is a model, a run a response, a thread a conversation."""
