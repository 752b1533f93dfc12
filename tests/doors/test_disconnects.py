"""D05, D08: a connection breaks at any byte, of a handshake, a header or a character, and nothing is missed or doubled."""

from collections.abc import Iterator
from random import Random

import pytest
from httpx2 import Client

from tests.support.academy import plant
from tests.support.cutting import SCRIPT, WAYS, Cutter, Reading, by_chats, cutting, read_through_cuts
from tests.support.serving import Served, migrated_database, serving, settings_for, wait_for

READINGS = 3
SEED = 20261127


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def talking(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server with one answer of many bytes."""
    folder = tmp_path_factory.mktemp("cutting")
    script = folder / "answer.md"
    script.write_text(SCRIPT, encoding="utf-8")
    with migrated_database(str(request.param), folder, request) as url:
        academy = wait_for(plant(url))
        with serving(settings_for(url, folder, model=f"scripted:{script}"), academy) as served:
            yield served


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_D08_an_answer_survives_every_cut(talking: Served, way: str) -> None:
    random = Random(f"{SEED} {way}")
    cuts = sum(read_through_cuts(talking, WAYS[way], random) for _ in range(READINGS))
    assert cuts >= READINGS, "connections did break"


def test_a_reader_that_forgets_its_place_is_caught(talking: Served) -> None:
    """The check itself: without the last id, what is put together is not what is stored."""

    def forgetful(served: Served, client: Client, reading: Reading) -> None:
        reading.last = ""
        by_chats(served, client, reading)

    with pytest.raises(AssertionError):
        read_through_cuts(talking, forgetful, Random(SEED), patience=20)


def test_the_cutter_cuts(talking: Served) -> None:
    with cutting(talking) as (cutter, client):
        assert isinstance(cutter, Cutter)
        assert client.get("/healthz").status_code == 200
        assert cutter.cuts == 0
