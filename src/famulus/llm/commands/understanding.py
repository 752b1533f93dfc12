"""What a person wants done: the last thing they said, read as a command or as the answer to a question of ours. Pure.

Nothing is remembered between two messages: what was said before is read again, and where our own last words are the
question that it leads to, what comes now is the answer. So any process can go on with any conversation.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from famulus.llm.commands.candidates import Candidate, chosen, read_question
from famulus.llm.commands.form import Command
from famulus.llm.commands.forms import CANCELLED, COMMANDS, HELP
from famulus.llm.commands.grammar import Way, best_reading, first_words, needed_words, read_pattern
from famulus.llm.commands.slots import SLOTS, Place, Value
from famulus.llm.commands.text import MAX_CHARACTERS, POLITE, read_line
from famulus.llm.protocol import ChatMessage

NOT_ALLOWED = "I may not do that here: your role, or what this assistant is set up for, does not allow it."
LEFT = "All right, nothing was done."
REMEMBERED = 8
"""Messages that a question and its answers may go back."""
MAX_ANSWER = 20_000
_WORD = re.compile(r"[^\W_][\w'-]*")
_HERE = frozenset(("here", "this", "this course", "the course", "this one", "my course"))
"""How a person means the course that is open."""


class Here(Struct, frozen=True):
    """What a command is read with."""

    today: date
    offered: frozenset[str]
    """The names of the tools that may be called."""
    course: str | None = None
    """The id, or else the title, of the course that is open."""


class Call(Struct, frozen=True):
    """A tool is to be called."""

    tool: str
    arguments: str
    """JSON text of an object."""


class Say(Struct, frozen=True):
    """There is something to say instead: a question back, or why not."""

    text: str


class Help(Struct, frozen=True):
    """The person asks what there is to ask for."""


Understood = Call | Say | Help


class _Wish(Struct, frozen=True):
    """A command as far as it has been said."""

    command: Command
    arguments: Mapping[str, Value]

    def missing(self) -> str | None:
        """The first argument that it lacks."""
        return next((name for name in self.command.asks if name not in self.arguments), None)

    def with_argument(self, **more: Value) -> "_Wish":
        return replace(self, arguments={**self.arguments, **more})


def understand(said: Sequence[ChatMessage], here: Here) -> Understood | None:
    """What the last message asks for; None where it is no command."""
    texts = [each for each in said if each.role in ("user", "assistant") and each.text][-REMEMBERED:]
    if not texts or texts[-1].role != "user":
        return None
    line = texts[-1].text
    wish = _wish(texts, here)
    if wish is None:
        return Say(LEFT) if _cancels(line) and _asked(texts[:-1], here) else None
    if wish.command is HELP:
        return Help()
    if wish.command.tool not in here.offered:
        return Say(NOT_ALLOWED)
    if missing := wish.missing():
        return Say(wish.command.asks[missing])
    return Call(wish.command.tool, msgspec.json.encode(wish.arguments).decode())


def _wish(texts: Sequence[ChatMessage], here: Here) -> _Wish | None:
    """The command that a conversation has come to: said now, or completed by what is said now."""
    if not texts or texts[-1].role != "user":
        return None
    line = texts[-1].text
    if (wish := read_command(line, here)) is not None:
        return wish
    asked = _asked(texts[:-1], here)
    return None if asked is None else _answered(*asked, line, here)


def _asked(texts: Sequence[ChatMessage], here: Here) -> tuple[_Wish, str, Sequence[Candidate]] | None:
    """The command that our last words are a question about, its argument in question, and what it may be."""
    if len(texts) < 2 or not (question := _question(texts[-1])):
        return None
    wish = _wish(texts[:-1], here)
    if wish is None:
        return None
    if missing := wish.missing():
        return (wish, missing, ()) if question.startswith(wish.command.asks[missing]) else None
    if (found := read_question(question, wish.arguments)) is None:
        return None
    return wish, *found


def _question(message: ChatMessage) -> str | None:
    """The text of a message of ours, if it begins as a question does. Looked at before anything is read again."""
    if message.role != "assistant" or "?" not in message.text[:200]:
        return None
    return message.text


def _answered(
    wish: _Wish, argument: str, candidates: Sequence[Candidate], line: str, here: Here
) -> _Wish | None:
    """The command with what was asked for, if that is what was said."""
    if _cancels(line):
        return None
    if candidates:
        id = chosen(line, candidates)
        return None if id is None else wish.with_argument(**{argument: id})
    value = _read_answer(argument, line, here)
    return None if value is None else _placed(wish.with_argument(**{argument: value}), here)


def _read_answer(argument: str, line: str, here: Here) -> Value:
    """What an answer says for an argument; None where it says nothing."""
    if argument == "body":
        return line.strip() if len(line) <= MAX_ANSWER else None
    typed = read_line(line)
    if typed is None or line.rstrip().endswith("?"):
        return None
    place = Place(typed, here.today, strict=False)
    reading = best_reading(_answer_way(argument), place)
    return None if reading is None else reading.arguments().get(argument)


@cache
def _answer_way(argument: str) -> Way:
    slot = next(name for name, kind in SLOTS.items() if kind.argument == argument)
    if argument == "title":
        return read_pattern(f"[to|call it|:] {slot}")
    return read_pattern(
        f"[it is|it's|call it|i mean|that is] [in|into|to|for|of|from|with] [the|my] [{argument}] "
        f"[called|named] {slot} [{argument}]"
    )


def _cancels(line: str) -> bool:
    return line.casefold().strip(" .!") in CANCELLED


class _Entry(Struct, frozen=True):
    """One form, read."""

    number: int
    """Its place in the table; of two that fit as well the earlier is meant."""
    command: Command
    way: Way
    given: Mapping[str, Value]
    needs: Sequence[frozenset[str]]
    """Words without which a line is not of this form."""

    def may_be(self, words: set[str]) -> bool:
        """Whether a line of these words can be of this form."""
        return not any(need.isdisjoint(words) for need in self.needs)


@cache
def _index() -> Mapping[str, Sequence[_Entry]]:
    """All forms by the words that they can begin with, so that what is no command is seen at its first word."""
    index: dict[str, list[_Entry]] = {}
    commands = (HELP, *(each for commands in COMMANDS.values() for each in commands))
    forms = [(command, form) for command in commands for form in command.forms]
    for number, (command, form) in enumerate(forms):
        way = read_pattern(form.pattern)
        entry = _Entry(number, command, way, form.given, needed_words(way))
        for word in first_words(way):
            index.setdefault(word, []).append(entry)
    return index


def read_command(line: str, here: Here) -> _Wish | None:
    """The command that a line is, complete or not."""
    entries = _possible(line)
    if not entries or (typed := read_line(line)) is None:
        return None
    place = Place(typed, here.today, strict=here.course is not None)
    found = [(each, reading) for each in entries if (reading := best_reading(each.way, place)) is not None]
    if not found:
        return None
    entry, reading = min(found, key=lambda pair: pair[1].cost())
    return _placed(_Wish(entry.command, {**reading.arguments(), **entry.given}), here)


def _possible(line: str) -> list[_Entry]:
    """The forms that a line may have by its words alone; most lines have none, and cost no more than this."""
    if len(line) > MAX_CHARACTERS:
        return []
    said = _WORD.findall(line.casefold().replace("’", "'"))
    words, index = set(said), _index()
    found: dict[int, _Entry] = {}
    for word in said:
        found.update((each.number, each) for each in index.get(word, ()) if each.may_be(words))
        if word not in POLITE:
            break
    return [found[number] for number in sorted(found)]


def _placed(wish: _Wish, here: Here) -> _Wish:
    """The same with the course that is open, where that is meant or none was named."""
    arguments = dict(wish.arguments)
    for name in ("course", "courses"):
        if _means_here(arguments.get(name)):
            del arguments[name]
            if here.course is not None:
                arguments[name] = here.course if name == "course" else (here.course,)
    if here.course is not None and "course" in wish.command.asks:
        arguments.setdefault("course", here.course)
    return replace(wish, arguments=arguments)


def _means_here(value: Value) -> bool:
    name = value[0] if isinstance(value, tuple) else value
    return isinstance(name, str) and name.casefold() in _HERE
