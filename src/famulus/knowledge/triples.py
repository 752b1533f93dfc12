"""Triples: how a passage relates things, as a model reads it; what it is asked, and what is kept of its answer. Pure.

    ["greenhouse pump", "was drawn by", "Ada Lowe"]        one line of an answer: subject, relation, object

An answer is taken for nothing but such lines; what has another form is passed over. Both names have to stand in the
passage, word for word: what a model knows or makes up besides, or was talked into by the passage, is left out.
"""

import json
import re
from collections.abc import Iterator
from functools import lru_cache
from importlib.resources import files
from itertools import islice
from typing import NamedTuple, cast

from famulus.kernel.effort import Effort
from famulus.knowledge.blocks import one_line
from famulus.knowledge.names import key_of, number_of
from famulus.knowledge.vectors import fingerprint
from famulus.knowledge.words import STOP, WORD, fold
from famulus.llm.protocol import ChatMessage, ModelSettings, Request, Usage

MOST = 12
"""Triples of one passage."""
MOST_TEXT = 6_000
"""Characters of a passage that a model is given."""
MOST_ANSWER = 20_000
"""Characters of an answer that are read; who has said so much is not listened to any longer."""
MOST_OUTPUT = 800
"""Tokens of an answer at most."""
USUAL_OUTPUT = 180
"""Tokens that an answer is taken to have, before there is one."""
LONGEST_NAME, LONGEST_RELATION, LONGEST_LINE = 100, 60, 600
"""Characters."""
AROUND = 20
"""Tokens of what stands around prompt and passage on the wire."""
PER_TOKEN, LEAST_PER_TOKEN = 4, 3
"""Characters of a token in English, as a rule; and bytes of one that are counted where a budget is to be kept."""
_ARTICLE = re.compile(r"^(?:the|an?) (?=.)", re.IGNORECASE)


class Triple(NamedTuple):
    """That a subject is related to an object."""

    subject: str
    relation: str
    object: str


@lru_cache(maxsize=1)
def prompt() -> str:
    """What a model is told."""
    return files("famulus.knowledge").joinpath("triples.md").read_text("utf-8").strip()


@lru_cache(maxsize=1)
def version() -> str:
    """Of the prompt: another one asks anew."""
    return fingerprint(f"{MOST_TEXT} {MOST_OUTPUT} {prompt()}")[:16]


def request_for(text: str, effort: Effort | None = None) -> Request:
    """What a model is asked about a passage."""
    # It cannot end its own frame: what is in between is material, whatever it says.
    framed = text[:MOST_TEXT].replace("</passage", "<\u200b/passage")
    asked = ChatMessage("user", f"<passage>{framed}</passage>")
    return Request(
        messages=(ChatMessage("system", prompt()), asked),
        model_settings=ModelSettings(max_output_tokens=MOST_OUTPUT, effort=effort),
    )


def expected(passages: int, characters: int) -> Usage:
    """About what it takes to ask about so many passages of so many characters together."""
    around = len(prompt()) // PER_TOKEN + AROUND
    return Usage(passages * around + characters // PER_TOKEN, passages * USUAL_OUTPUT)


def at_most(text: str) -> Usage:
    """What asking about a passage may take at most."""
    size = len(prompt().encode()) + len(text[:MOST_TEXT].encode("utf-8", "replace"))
    return Usage(size // LEAST_PER_TOKEN + AROUND, MOST_OUTPUT)


def read_triples(answer: str, text: str) -> list[Triple]:
    """The triples of an answer about a passage, each once, at most twelve."""
    said = f" {' '.join(_words(text))} "
    found: dict[tuple[str, str, str], Triple] = {}
    for parts in _lines(answer[:MOST_ANSWER]):
        triple = Triple(_name(parts[0]), one_line(_shown(parts[1]), LONGEST_RELATION), _name(parts[2]))
        keys = key_of(triple.subject), key_of(triple.object)
        if triple.relation and keys[0] != keys[1] and all(_stands(name, said) for name in triple[::2]):
            found.setdefault((keys[0], triple.relation.lower(), keys[1]), triple)
    return list(islice(found.values(), MOST))


def numbers(triple: Triple) -> tuple[int, int]:
    """The names of subject and object as the graph has them."""
    return number_of(key_of(triple.subject)), number_of(key_of(triple.object))


def _lines(answer: str) -> Iterator[tuple[str, str, str]]:
    for line in answer.splitlines():
        line = line.strip().rstrip(",")
        if not (line.startswith(("[", "{")) and len(line) <= LONGEST_LINE):
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            continue
        for one in value if _is_list_of_them(value) else (value,):
            match one:
                case [str(subject), str(relation), str(object)]:
                    yield subject, relation, object
                case {"subject": str(subject), "relation": str(relation), "object": str(object)}:
                    yield subject, relation, object
                case _:
                    pass


def _is_list_of_them(value: object) -> bool:
    return isinstance(value, list) and isinstance(next(iter(cast(list[object], value)), None), list | dict)


def _name(raw: str) -> str:
    name = one_line(_shown(raw), LONGEST_NAME + 1)
    return "" if len(name) > LONGEST_NAME else _ARTICLE.sub("", name)


def _shown(raw: str) -> str:
    """Without what does not show, or turns what stands around it."""
    return "".join(character if character.isprintable() else " " for character in raw)


def _stands(name: str, said: str) -> bool:
    """Whether a name is one, and stands in what is said."""
    words = _words(name)
    telling = any(word not in STOP and not word.isdigit() and len(word) > 1 for word in words)
    return telling and bool(key_of(name)) and f" {' '.join(words)} " in said


def _words(text: str) -> list[str]:
    return WORD.findall(fold(text))
