"""In which language a text is, as far as its commonest words tell it. Pure.

Words are compared as they are written and the model on this machine reads English, so a question in another language
than the material finds little. That is worth saying.
"""

import re
from collections.abc import Sequence

from famulus.knowledge.words import fold

READ = 2_000
"""Characters of a text that are looked at."""
CLEARLY = 2
"""Words more than the next language has: one may be borrowed, or a name."""
_WORD = re.compile(r"[^\W\d_]+")
_COMMON = {
    "en": "the of and to is in that it for what how does do are with this which was be by an from why when can who",
    "de": "der die das und ist wie was ein eine nicht den dem mit fur von zu auf wird werden sich ich welche wo wann",
    "fr": "le la les des est une que qui pour dans comment quel quelle pourquoi quand avec sur pas au du il je sont",
    "es": "el los las que es una por para como con cual cuando donde del se son su qu y hay al lo cuanto",
    "it": "il gli che una per con come quale quando dove del della nel si sono non di ho cosa perche",
    "pt": "o os as que uma para com como qual quando onde do da no na se sao nao dos por quanto",
    "nl": "het een van en is dat wat hoe niet met voor op zijn de welke wanneer waar te door ik kan",
    "ru": "и в не на что как это по из для где когда почему или от так же при",
}
_WORDS = {language: frozenset(map(fold, words.split())) for language, words in _COMMON.items()}
_OF_WORD = {
    word: tuple(code for code, words in _WORDS.items() if word in words)
    for word in frozenset[str]().union(*_WORDS.values())
}
_SCRIPTS = {
    "ja": re.compile("[\u3040-\u30ff]"),
    "zh": re.compile("[\u4e00-\u9fff]"),
    "ko": re.compile("[\uac00-\ud7af]"),
    "ar": re.compile("[\u0600-\u06ff]"),
}


def language_of(text: str) -> str | None:
    """The code of its language; None where too little tells it, or it is none of those known here."""
    text = text[:READ]
    for language, script in _SCRIPTS.items():
        if len(script.findall(text)) > len(text) / 4:
            return language
    common = dict.fromkeys(_COMMON, 0)
    for word in fold(" ".join(_WORD.findall(text))).split():
        for code in _OF_WORD.get(word, ()):
            common[code] += 1
    counts = sorted(((count, code) for code, count in common.items()), reverse=True)
    (most, language), (next_most, _) = counts[:2]
    return language if most - next_most >= CLEARLY else None


def differs(question: str, passages: Sequence[str]) -> bool:
    """Whether a question is in another language than passages are; only where both are told for sure."""
    asked = language_of(question)
    if asked is None:
        return False
    written = language_of("\n".join(passage[: READ // max(1, len(passages))] for passage in passages))
    return written is not None and asked != written
