"""A conversation as a client tells it, turned into what a run is asked with: what goes before, and the last word.

system, developer → what the program wants of the answer
everything before the last turn → messages that are given
the last turn: a person's words, or results of calls that the program has carried out → the message that is answered
"""

from dataclasses import dataclass, field

from famulus.conversations.given import Given
from famulus.conversations.parts import ClientCall, ClientResult, Part, Role, Text
from famulus.doors.openai.reading import text
from famulus.doors.openai.shapes import InvalidValue, at

MOST_TURNS = 1_000
MOST_INSTRUCTIONS = 100_000
"""Characters of all instructions together."""


@dataclass(slots=True)
class Talk:
    """The turns so far."""

    where: str
    """The parameter that holds them."""
    instructions: list[str] = field(default_factory=list[str])
    turns: list[Given] = field(default_factory=list[Given])

    def instruct(self, words: str) -> None:
        """Take what the program wants. Raises InvalidValue."""
        if words.strip():
            self.instructions.append(words)
        if sum(map(len, self.instructions)) > MOST_INSTRUCTIONS:
            message = f"At most {MOST_INSTRUCTIONS:,} characters of instructions are allowed."
            raise at(InvalidValue, self.where, message)

    def say(self, role: Role, words: str) -> None:
        """Take what was said."""
        self._add(role, Text(words))

    def call(self, call_id: str, name: str, arguments: str) -> None:
        """Take a call that an answer ended with; it belongs to what the assistant has said before it."""
        part = ClientCall(
            text(call_id, self.where)[:200],
            text(name, self.where)[:64],
            text(arguments, self.where, blank=True),
        )
        self._join("assistant", part)

    def result(self, call_id: str, output: str) -> None:
        """Take what became of a call; several results are one turn."""
        part = ClientResult(text(call_id, self.where)[:200], text(output, self.where, blank=True))
        self._join("user", part)

    def last(self) -> Given:
        """The turn that is to be answered, taken off the others. Raises InvalidValue."""
        if not self.turns or self.turns[-1].role != "user":
            message = f"The last of {self.where} has to be a user's, or the result of a call."
            raise at(InvalidValue, self.where, message)
        return self.turns.pop()

    def _join(self, role: Role, part: ClientCall | ClientResult) -> None:
        newest = self.turns[-1] if self.turns else None
        fits = newest is not None and newest.role == role
        if (
            fits
            and newest is not None
            and (role == "assistant" or isinstance(newest.parts[-1], ClientResult))
        ):
            self.turns[-1] = Given(role, (*newest.parts, part))
        else:
            self._add(role, part)

    def _add(self, role: Role, part: Part) -> None:
        if len(self.turns) >= MOST_TURNS:
            raise at(InvalidValue, self.where, f"At most {MOST_TURNS:,} messages are allowed.")
        self.turns.append(Given(role, (part,)))


def said_in(turn: Given) -> tuple[str, tuple[ClientResult, ...]]:
    """The words of the last turn, and the results in it."""
    words = "".join(part.text for part in turn.parts if isinstance(part, Text))
    return words, tuple(part for part in turn.parts if isinstance(part, ClientResult))
