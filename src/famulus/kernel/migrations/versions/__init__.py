"""The history, oldest first: add, then fill, then require; what is dropped goes one release later."""
