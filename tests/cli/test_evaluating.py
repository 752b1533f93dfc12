"""`famulus eval retrieval` on a set so small that one can see what should come out."""

import json
from pathlib import Path

import pytest

from tests.cli.test_commands import run
from tests.knowledge.papers import write

DOCUMENTS = (
    ("pump", "The pump", "A pump moves water through the greenhouse. It was built by Ada Lowe."),
    ("ada", "Ada Lowe", "Ada Lowe is an engineer. She was born in Port Ellery."),
    ("port", "Port Ellery", "Port Ellery is a harbour town in the north, known for its lighthouse."),
    ("sensor", "The sensor", "A sensor tells how moist the soil is."),
    ("empty", "A title alone", ""),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    corpus = [json.dumps({"id": id, "title": title, "text": text}) for id, title, text in DOCUMENTS]
    queries = [
        {"id": "q1", "text": "How moist is the soil?"},
        {"id": "q2", "text": "Which title is alone?"},
        {"id": "q3", "text": "In which town was the builder of The Pump born?"},
    ]
    return write(
        tmp_path / "set",
        {
            "corpus.jsonl": "\n".join(corpus),
            "queries.jsonl": "\n".join(map(json.dumps, queries)),
            "qrels.tsv": "q1\tsensor\t1\nq2\tempty\t1\nq3\tpump\t1\nq3\tport\t1\n",
        },
    )


@pytest.mark.slow
def test_measures_of_every_way(folder: Path) -> None:
    done = run(folder, "eval", "retrieval", "--set", str(folder), "--json", FAMULUS_EMBEDDING="local")
    found = json.loads(done.stdout)

    assert list(found) == ["words", "dense", "fused", "fused+graph"]
    assert found["words"]["mrr@10"] == found["fused+graph"]["mrr@10"] == 100
    assert found["words"]["recall@2"] < found["fused+graph"]["recall@10"] == 100
    assert 0 < found["words"]["ms/query p50"] <= found["words"]["ms/query p95"]


def test_a_table_for_people_without_a_model(folder: Path) -> None:
    done = run(folder, "eval", "retrieval", "--set", str(folder), FAMULUS_EMBEDDING="none")

    assert done.stdout.split()[:3] == ["words", "words+graph", "recall@2"]
    assert not (folder / "var" / "famulus.db").exists(), "it works in a place of its own"


def test_no_set(tmp_path: Path) -> None:
    done = run(tmp_path, "eval", "retrieval", "--set", str(tmp_path / "nowhere"))

    assert done.returncode == 2
    assert "corpus.jsonl cannot be read" in done.stderr
