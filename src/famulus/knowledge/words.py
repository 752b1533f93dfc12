"""Words: which of a question's carry it, and which stand hidden inside the words of a text.

    cmd_vel, /scan, geometry_msgs/msg/Twist   the parts as words, and side by side as a phrase
    LaserScan                                 laserscan, laser, scan
    "lifecycle node"                          a phrase the asker quoted
    机器人导航                                  pairs of signs, as such scripts have no blanks
    café                                      cafe

Everything that leaves this module is letters and digits only, so that no index can mistake a word for syntax.
"""

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from famulus.llm.stems import stem

MAX_TERMS = 32
"""Of a pasted page, so many different words are the question."""
MAX_QUESTION = 10_000
MAX_INNER = 4_000
MAX_WORD = 64

# Signs that belong to a letter before them: combining accents, vowel signs of Indic and South-East Asian scripts.
_LETTER = "(?:[^\\W_]|[\u0300-\u036f\u0900-\u0963\u0966-\u0dff\u0e31\u0e34-\u0e3a\u0e47-\u0e4e])"
WORD = re.compile(f"{_LETTER}+")
_PLAIN = re.compile("[a-z0-9]+")
_JOINTS = frozenset("_ . / : - :: ->".split())
"""What stands between the parts of one name."""
_QUOTED = re.compile('["“„«]([^"“”„«»]{2,200})["”“»]')
_HUMP = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_BEND = re.compile("[a-z][A-Z]|[A-Z]{2}[a-z]")
_CAMEL = re.compile(f"(?<![^\\W_])[A-Za-z]*(?:{_BEND.pattern})[A-Za-z0-9]*")
SHORTEST_HUMP = 3
"""So that `QoS` and `URLs` stay what they are."""
_ACCENTS = re.compile("[\u0300-\u036f]")
_FOREIGN = re.compile(r"[^\W\x00-\x7f]")
_UNSPACED = re.compile(
    "[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u0e00-\u0eff\U00020000-\U0003134f]+"
)

STOP = frozenset(
    """a about all also am an and any anything are as ask at be because been being between but by can cannot could
    describe did difference do does doing don down each else ever every explain few find for from get give had has have
    having he help her here hers him his how however i if in instead into is it its itself just know let like ll made
    main make many may me mean means meant might more most much must my need no nor not now of off on once one only
    or other our ours out over own please possible purpose quick quickly re really s same say says see shall she
    should show so some something still such t tell than that the their them then there these they thing things this
    those through to too try trying under until up us use used useful uses using ve very want was way we were what
    when where whether which while who whom whose why will with without would you your yours""".split()
)


@dataclass(frozen=True, slots=True)
class Question:
    """A question in words that an index may be asked for: any of them, and the more the better."""

    terms: tuple[str, ...]
    """Single words, lower case, without accents."""
    phrases: tuple[tuple[str, ...], ...] = ()
    """Words that stood side by side as one name or in quotes; each is among the terms unless it is a stop word."""


def fold(text: str) -> str:
    """Lower case without accents."""
    if text.isascii() or _FOREIGN.search(text) is None:  # the latter has typographic signs alone
        return text.lower()
    return _ACCENTS.sub("", unicodedata.normalize("NFKD", text)).lower()


def read_question(text: str) -> Question:
    """The words and phrases of a question in natural language; empty for one without any letter or digit."""
    text = unicodedata.normalize("NFC", text[:MAX_QUESTION])
    found = list(dict.fromkeys(_terms(text)))
    telling = [term for term in found if term not in STOP and (len(term) > 1 or not term.isascii())]
    telling = telling or [term for term in found if term not in STOP] or found
    phrases = dict.fromkeys(_phrases(text))
    return Question(tuple(telling[:MAX_TERMS]), tuple(phrases)[: MAX_TERMS // 4])


def _terms(text: str) -> Iterator[str]:
    for match in WORD.finditer(text):
        word = match.group()[:MAX_WORD]
        runs = [] if word.isascii() else _UNSPACED.findall(word)
        if runs:
            yield from _pairs(runs)
            yield from (fold(rest) for rest in _UNSPACED.sub(" ", word).split())
            continue
        yield fold(word)
        yield from _humps(word)


def _phrases(text: str) -> Iterator[tuple[str, ...]]:
    quoted = (match.group(1) for match in _QUOTED.finditer(text))
    for group in (*(WORD.findall(words) for words in quoted), *_compounds(text)):
        if 2 <= len(group) <= 10:
            yield tuple(fold(word[:MAX_WORD]) for word in group)


def _compounds(text: str) -> Iterator[list[str]]:
    """Names of several parts, by one walk over the words: a pattern for the whole would be slow on long ones."""
    group: list[str] = []
    end = 0
    for match in WORD.finditer(text):
        if text[end : match.start()] not in _JOINTS:
            yield group
            group = []
        group.append(match.group())
        end = match.end()
    yield group


def _humps(word: str) -> list[str]:
    if not _CAMEL.fullmatch(word):
        return []
    return [hump.lower() for hump in _HUMP.findall(word) if len(hump) >= SHORTEST_HUMP]


def _pairs(runs: Iterable[str]) -> Iterator[str]:
    for run in runs:
        yield from (run[at : at + 2] for at in range(max(1, len(run) - 1)))


def inner_words(text: str) -> str:
    """What an index that splits at blanks would miss in `text`: humps, unaccented forms, pairs of signs."""
    found: dict[str, None] = {}
    if _BEND.search(text):  # much quicker than looking for whole words, and mostly in vain
        for match in _CAMEL.finditer(text):
            found.update(dict.fromkeys(_humps(match.group())))
    if not text.isascii() and _FOREIGN.search(text):
        found.update(dict.fromkeys(_pairs(_UNSPACED.findall(text))))
        for word in WORD.findall(text):
            if not word.isascii() and (folded := fold(word)) != word.lower():
                found[folded] = None
    return " ".join(found)[:MAX_INNER]


@lru_cache(maxsize=50_000)
def stem_of(word: str) -> str:
    """The stem of one folded word."""
    return stem(word)


def stems_of(text: str, inner: str | None = None) -> set[str]:
    """The stems of all words of a text, hidden ones included: `inner`, where `inner_words` has found them before."""
    words = set(_words(text))
    words.update((inner_words(text) if inner is None else inner).split())
    return set(map(stem_of, words))


def _words(text: str) -> list[str]:
    folded = fold(text)
    return _letters(folded).findall(folded)


def _letters(folded: str) -> re.Pattern[str]:
    """What words are made of. The plain class is several times as quick, and the same where no sign is foreign."""
    plain = folded.isascii() or _FOREIGN.search(folded) is None
    return _PLAIN if plain else WORD


def held(wanted: Collection[str], text: str, inner: str | None = None) -> frozenset[str]:
    """Those of some stems that `stems_of` would find in a text, in a tenth of its time.

    A stem is how its word begins, but for a last `y` (`stems.stem`): only words that begin so are looked at.
    """
    folded = fold(text)
    letters = _letters(folded)
    found = {stem for stem in wanted if _begins(stem, folded, letters)}
    hidden = inner_words(text) if inner is None else inner
    if hidden:
        found.update(stem for stem in map(stem_of, hidden.split()) if stem in wanted)
    return frozenset(found)


def _begins(wanted: str, folded: str, letters: re.Pattern[str]) -> bool:
    beginning = wanted[:-1] if wanted.endswith("y") and len(wanted) > 1 else wanted
    at = folded.find(beginning)
    while at >= 0:
        word = letters.match(folded, at)
        if word is None:
            return False
        if not (at and letters.match(folded[at - 1])) and stem_of(word.group()) == wanted:
            return True
        at = folded.find(beginning, word.end())
    return False
