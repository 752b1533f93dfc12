"""Every list of the API costs as many statements for a hundred items as for one."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event

from tests.support.operations import CASES, send
from tests.support.serving import Served

MOST = 6
"""Statements of one list, whoever asks; reading who asks is among them the first time."""


def lists(document: Any) -> list[str]:
    """The operations that answer with a page."""
    found: list[str] = []
    for path, methods in document["paths"].items():
        answer = methods.get("get", {}).get("responses", {}).get("200", {})
        schema = answer.get("content", {}).get("application/json", {}).get("schema", {})
        properties = document["components"]["schemas"].get(schema.get("$ref", "").split("/")[-1], {})
        if {"items", "next"} <= properties.get("properties", {}).keys():
            found.append(f"GET {path}")
    return found


@contextmanager
def statements() -> Iterator[list[str]]:
    """What every engine of this process is told meanwhile."""
    told: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        told.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield told
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def test_every_list_costs_the_same_however_long(
    embedded: Served, embedded_ids: dict[str, str], document: Any
) -> None:
    complaints: list[str] = []
    operations = lists(document)
    assert len(operations) > 25
    for operation in operations:
        costs: list[int] = []
        with embedded.client(CASES[operation].who) as client:
            for limit in ("1", "1", "100"):
                with statements() as told:
                    answer = send(client, operation, embedded_ids, query={"limit": limit})
                assert answer.status_code == 200, (operation, answer.text)
                costs.append(len(told))
        if costs[1] != costs[2] or costs[2] > MOST:
            complaints.append(f"{operation}: {costs[1:]} statements")
    assert complaints == []
