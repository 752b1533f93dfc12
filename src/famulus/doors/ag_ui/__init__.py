"""The door for AG-UI clients: a run of theirs is a run of ours, their thread a thread."""
