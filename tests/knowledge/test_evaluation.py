"""Measures of a ranking, against what comes out by hand, and sets that are not as they should be."""

from math import log2
from pathlib import Path

import pytest

from famulus.kernel.errors import ConfigurationError
from famulus.knowledge.evaluation import measures, quantile, read_set
from tests.knowledge.papers import write


def test_what_a_ranking_is_worth() -> None:
    rankings = {"q1": ["a", "x", "b"], "q2": ["x", "y", "z"]}
    found = measures(rankings, {"q1": {"a", "b"}, "q2": {"c"}})

    assert found["recall@2"] == 25
    assert found["recall@5"] == found["recall@10"] == 50
    assert found["mrr@10"] == 50
    assert found["all-evidence@8"] == 50
    assert found["ndcg@10"] == round(50 * (1 + 1 / log2(4)) / (1 + 1 / log2(3)), 2)


def test_evidence_has_to_be_among_the_first_eight() -> None:
    late = [f"x{n}" for n in range(8)]

    assert measures({"q": [*late, "a"]}, {"q": {"a"}})["all-evidence@8"] == 0
    assert measures({"q": [*late[1:], "a"]}, {"q": {"a"}})["all-evidence@8"] == 100


def test_what_stands_behind_the_tenth_place_does_not_count() -> None:
    far = [f"x{n}" for n in range(10)]

    assert set(measures({"q": [*far, "a"]}, {"q": {"a"}}).values()) == {0.0}


def test_a_quantile_is_one_of_the_values() -> None:
    assert [quantile([4, 1, 3, 2], share) for share in (0.0, 0.5, 0.95)] == [1, 2, 4]


GOOD = {
    "corpus.jsonl": '{"id": 1, "title": "One", "text": "First."}\n{"id": "b", "text": "Second."}\n',
    "queries.jsonl": '{"id": "q", "text": "Which?"}\n{"id": "unanswered", "text": "Why?"}\n',
    "qrels.tsv": "query-id\tcorpus-id\tscore\nq\t1\t1\nq\tb\t0\n",
}


def test_reading_a_set(tmp_path: Path) -> None:
    found = read_set(write(tmp_path, GOOD))

    assert [document.id for document in found.documents] == ["1", "b"]
    assert [question.id for question in found.questions] == ["q"]
    assert found.answers == {"q": {"1"}}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"corpus.jsonl": '{"id": "a"}\n'}, "corpus.jsonl, line 1"),
        ({"queries.jsonl": "what?\n"}, "queries.jsonl, line 1"),
        ({"qrels.tsv": "q\t1\t1\nq\n"}, "qrels.tsv, line 2"),
        ({"qrels.tsv": "q\tc\t1\n"}, "no document 'c'"),
        ({"qrels.tsv": "other\t1\t1\n"}, "no question"),
    ],
)
def test_a_set_that_is_not_as_it_should_be(tmp_path: Path, change: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        read_set(write(tmp_path, GOOD | change))


def test_a_set_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"corpus\.jsonl cannot be read"):
        read_set(tmp_path)
