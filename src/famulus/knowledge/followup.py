"""Follow-up questions: what “How fast is it?” asks for, from what was said before. Pure, and without a model.

A question leans on the talk before it when it is very short, begins as a continuation does, or has a pronoun that
nothing before it in the question can stand for. It is then searched for together with the names and the telling words
of the question it leans on, and for a pronoun with the first names that the answer took from the material as well:
those of sentences with a citation. What no passage has would only stand in the way.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from famulus.knowledge.names import spellings
from famulus.knowledge.words import STOP, WORD, fold

SHORT = 5
"""Words. A question of fewer leans on the one before."""
BACK = 3
"""Questions that lean on one another, at most."""
MOST_WORDS, MOST_NAMES = 8, 3
"""Taken over from a question, and names from an answer."""
BEGINNING = 600
"""Characters of an answer that are looked through for names."""
READ = 2_000
"""Characters of a question that count."""
_PRONOUNS = frozenset(
    """it its itself they them their theirs he him his she her hers this these those former latter""".split()
)
_POINTS_BACK = re.compile(r"\bthat(?:\s*[?.!]|\s*$|'s|\s+(?:is|was|means?|works?|does|one)\b)", re.IGNORECASE)
_SENTENCE = re.compile(r"(?<=[.!?\]])\s+(?!\[)")
_MARK = re.compile(r"\[\d{1,3}\]")
_GOES_ON = re.compile(
    r"\W*(?:and|but|or|so|then|also|what about|how about|what else|why not)\b", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Said:
    """A message of the talk."""

    by_user: bool
    text: str


def stand_alone(talk: Sequence[Said]) -> str:
    """What to search for to answer the last message of a talk, oldest first: it, with what it leans on."""
    asked = talk[-1].text
    found = [asked]
    at, question = len(talk) - 1, asked
    for _ in range(BACK):
        if not leans(question):
            break
        before = next((n for n in range(at - 1, -1, -1) if talk[n].by_user), None)
        if before is None:
            break
        if _pronoun(question) is not None:
            answers = [one.text[:BEGINNING] for one in talk[before + 1 : at] if not one.by_user]
            cited = (line for text in answers for line in _SENTENCE.split(text) if _MARK.search(line))
            found += _names(cited)[:MOST_NAMES]
        at, question = before, talk[before].text
        found += _telling(question)[:MOST_WORDS]
    return " ".join(_each_once(found))


def leans(question: str) -> bool:
    """Whether a question cannot be understood by itself."""
    question = question[:READ]
    if len(question.split()) < SHORT or _GOES_ON.match(question):
        return True
    place = _pronoun(question)
    return place is not None and len(_telling(question[:place])) < 2


def _pronoun(question: str) -> int | None:
    """Where the first word stands that means something said before."""
    for match in WORD.finditer(question[:READ]):
        if match.group().lower() in _PRONOUNS:
            return match.start()
    pointing = _POINTS_BACK.search(question[:READ])
    return pointing.start() if pointing else None


def _telling(question: str) -> list[str]:
    """Names as they are written, then single words."""
    text = question[:READ]
    words = [word for word in WORD.findall(text) if fold(word) not in STOP and len(word) > 1]
    return list(_each_once([*_names([text]), *words]))


def _names(texts: Iterable[str]) -> list[str]:
    return list(_each_once(spelling for text in texts for spelling, _ in spellings(text)))


def _each_once(found: Iterable[str]) -> Iterable[str]:
    """Without what an earlier one says already."""
    said = ""
    for one in found:
        if f" {fold(one)} " not in f" {said} ":
            said += f" {fold(one)}"
            yield one
