"""Words that carry a question, cut down to light stems, so that 'publishing' finds 'publisher'."""

import re

_WORD = re.compile(r"[^\W_]+")
_ENDINGS = tuple("ations ation ingly ing ers er ors or ions ion ed es s ly e".split())
SHORTEST = 3
"""Letters that must be left of a word."""

_STOP = frozenset(
    """a about above after again all also am an and another any are as ask at be because been before being
    below between both but by can cannot could course did do does doesn doing don down during each either else
    ever every explain few find for from further get give had has have having he help her here hers him
    his how however i if in into is it its itself just know learn lesson let like ll main make many may
    me mean means might more most much must my need no nor not now of off on once one only or other our
    ours out over own please quick re really same say says see shall she should show so some something
    such tell than that the their them then there these they thing things this those through to too
    under until up us use used using ve very want was way we were what when where whether which while
    who whom whose why will with without work works would you your yours""".split()
)


def stem(word: str) -> str:
    """A light English stem of one lower-case word."""
    if word.endswith("ies") and len(word) > SHORTEST + 2:
        return word[:-3] + "y"
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= SHORTEST and not word.endswith("ss"):
            word = word[: -len(ending)]
            break
    if len(word) > SHORTEST and word[-1] == word[-2] and word[-1] not in "aeiouls":
        word = word[:-1]
    return word


def stems(text: str) -> frozenset[str]:
    """The stems of all words of `text`; parts of an identifier count as words."""
    return frozenset(stem(word) for word in _WORD.findall(text.lower()))


def content_stems(question: str) -> frozenset[str]:
    """The stems of the words that carry `question`: no articles, no 'what', no single letters."""
    words = (word for word in _WORD.findall(question.lower()) if word not in _STOP)
    return frozenset(stem(word) for word in words if len(word) > 1)
