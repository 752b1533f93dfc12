"""How good a ranking is: sets of questions with the documents that answer them, and the usual measures. Pure.

A set is a folder, as public collections are given out:

    corpus.jsonl    {"id": "d1", "title": "Demon Dice", "text": "…"}
    queries.jsonl   {"id": "q1", "text": "Who made …?"}
    qrels.tsv       question, document and a number above 0 where it answers, parted by tabs
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec

from famulus.kernel.errors import ConfigurationError

T = TypeVar("T", bound=msgspec.Struct)
CUTOFFS = (2, 5, 10)
DEPTH = 10
"""Documents of a ranking that count."""
EVIDENCE = 8
"""Among the first so many, "all-evidence" wants every answering document."""


class _Line(msgspec.Struct):
    id: str | int
    text: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class Text:
    """A document or a question of a set."""

    id: str
    text: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """Documents, and questions with the ids of the documents that answer them: at least one each."""

    documents: list[Text]
    questions: list[Text]
    answers: dict[str, set[str]]
    """By question."""


def read_set(folder: Path) -> QuestionSet:
    """A set from its folder; raises ConfigurationError naming the file and line that is not as it should be."""
    documents = list(_lines(folder / "corpus.jsonl"))
    answers = _answers(folder / "qrels.tsv", {document.id for document in documents})
    questions = [question for question in _lines(folder / "queries.jsonl") if question.id in answers]
    if not questions:
        raise ConfigurationError(f"{folder}: no question of queries.jsonl has an answer in qrels.tsv.")
    return QuestionSet(documents, questions, answers)


def _lines(path: Path) -> Iterator[Text]:
    decoder = msgspec.json.Decoder(_Line)
    for number, line in _numbered(path):
        try:
            found = decoder.decode(line)
        except msgspec.MsgspecError as error:
            raise ConfigurationError(f"{path}, line {number}: {error}.") from error
        yield Text(str(found.id), found.text, found.title)


def _answers(path: Path, documents: set[str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for number, line in _numbered(path):
        fields = line.split("\t")
        try:
            question, document, worth = fields[0], fields[1], float(fields[2])
        except (IndexError, ValueError) as error:
            if number == 1:
                continue  # the names of the columns
            raise ConfigurationError(
                f"{path}, line {number}: not a question, a document, a number."
            ) from error
        if document not in documents:
            raise ConfigurationError(f"{path}, line {number}: no document {document!r} in corpus.jsonl.")
        if worth > 0:
            found.setdefault(question, set()).add(document)
    return found


def _numbered(path: Path) -> Iterator[tuple[int, str]]:
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}.") from error
    return ((number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip())


def measures(rankings: Mapping[str, Sequence[str]], answers: Mapping[str, set[str]]) -> dict[str, float]:
    """Means over all questions, in percent. `rankings` has document ids, best first, without repetitions.

    nDCG as in Järvelin and Kekäläinen (2002) with gains of 0 and 1, MRR as at TREC, both to rank 10;
    all-evidence@8 is the share of questions with every answering document among the first eight.
    """
    every = [_of_one(ranking, answers[question]) for question, ranking in rankings.items()]
    return {name: round(100 * sum(one[name] for one in every) / len(every), 2) for name in every[0]}


def _of_one(ranking: Sequence[str], answers: set[str]) -> dict[str, float]:
    places = [place for place, document in enumerate(ranking[:DEPTH], 1) if document in answers]
    found = {f"recall@{k}": sum(place <= k for place in places) / len(answers) for k in CUTOFFS}
    best = sum(_gain(place) for place in range(1, min(DEPTH, len(answers)) + 1))
    found[f"ndcg@{DEPTH}"] = sum(_gain(place) for place in places) / best
    found[f"mrr@{DEPTH}"] = 1 / places[0] if places else 0.0
    found[f"all-evidence@{EVIDENCE}"] = float(answers <= set(ranking[:EVIDENCE]))
    return found


def _gain(place: int) -> float:
    return 1 / math.log2(place + 1)


def quantile(values: Sequence[float], share: float) -> float:
    """The least value that at least `share` of `values` do not exceed."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]
