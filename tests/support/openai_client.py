"""OpenAI's own client, pointed at a server of the tests."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from openai import OpenAI

from tests.support.serving import Served


@contextmanager
def client_of(served: Served, who: str = "student", **options: Any) -> Iterator[OpenAI]:
    """A client with somebody's token for its key, which asks once and does not try again."""
    with served.client() as http:
        given = {"api_key": served.academy.people[who].token, "max_retries": 0, **options}
        yield OpenAI(base_url=f"{served.url}/v1", http_client=http, **given)
