"""What a test does at a door that leads to threads, and what it hears there."""

from dataclasses import dataclass, replace
from typing import Protocol


@dataclass(frozen=True)
class Heard:
    """What a reader has of a run: `last` is the id to resume after, `ended` whether there is more."""

    thread: str
    run: str
    text: str
    last: str
    """Empty where the door has no ids that the others know."""
    ended: bool

    def place(self) -> "Heard":
        """From where another door goes on: from the beginning for who has no id that it knows."""
        return self if self.last else replace(self, text="")


class Door(Protocol):
    """A way to threads, for somebody who is signed in."""

    name: str

    def start(self, message: str) -> Heard:
        """A message in a new thread, and its answer."""
        ...

    def go_on(self, thread: str, message: str) -> Heard:
        """A message in a thread that there is, and its answer."""
        ...

    def break_off(self, thread: str, message: str) -> Heard:
        """A message in a thread that there is; of its answer only the beginning is read."""
        ...

    def resume(self, heard: Heard) -> Heard:
        """The rest of an answer, with what was read before."""
        ...

    def read(self, thread: str) -> list[tuple[str, str]]:
        """Who has said what in a thread."""
        ...


NOTHING = Heard("", "", "", "0.0", ended=False)
BEGINNING = 8
"""Frames that are read before a reader breaks off."""
