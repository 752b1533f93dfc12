"""The door for the AI SDK's clients (`useChat`): a chat of theirs is a thread, its stream a run."""
