"""Ids: unique, in order, and a UUIDv7 inside."""

import os
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

from famulus.kernel.ids import ALPHABET, new_id


def unpacked(identifier: str) -> uuid.UUID:
    """The UUID in an id."""
    value = 0
    for character in identifier.split("_")[1]:
        value = value << 5 | ALPHABET.index(character)
    return uuid.UUID(int=value)


def test_an_id_is_a_prefix_and_a_uuid_of_now() -> None:
    before = time.time_ns() // 1_000_000
    identifier = new_id("thr")
    after = time.time_ns() // 1_000_000

    assert identifier.startswith("thr_")
    assert len(identifier) == 30
    value = unpacked(identifier)
    assert (value.version, value.variant) == (7, uuid.RFC_4122)
    assert before <= value.int >> 80 <= after


def test_ids_of_one_process_sort_in_the_order_in_which_they_were_made() -> None:
    made = [new_id("msg") for _ in range(20_000)]

    assert made == sorted(made)
    assert len(set(made)) == len(made)


def test_ids_are_unique_across_threads_and_in_order_within_each() -> None:
    def make(count: int) -> list[str]:
        return [new_id("run") for _ in range(count)]

    with ThreadPoolExecutor(8) as threads:
        lots = list(threads.map(make, [3000] * 8))

    assert len({each for lot in lots for each in lot}) == 24_000
    assert all(lot == sorted(lot) for lot in lots)


def test_a_fork_gives_out_no_bytes_of_its_parent() -> None:
    new_id("run")
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        os.write(writing, new_id("run").encode())
        os._exit(0)
    os.waitpid(child, 0)
    theirs = os.read(reading, 100).decode()
    os.close(reading), os.close(writing)

    assert unpacked(theirs).int & (1 << 62) - 1 != unpacked(new_id("run")).int & (1 << 62) - 1
