"""The one shape of errors, as a check that every test of a refusal goes through."""

from httpx2 import Response

from famulus.doors.problems import PROBLEMS
from tests.support.openapi import violations

SCHEMA = PROBLEMS["default"]["content"]["application/problem+json"]["schema"]
SNAKE = "abcdefghijklmnopqrstuvwxyz_"


def assert_problem(response: Response, status: int | tuple[int, ...], code: str | None = None) -> None:
    """Fail unless a response is a problem of this status, in the one shape, with nothing of our insides in it."""
    wanted = status if isinstance(status, tuple) else (status,)
    assert response.status_code in wanted, f"{response.status_code}: {response.text[:500]}"
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["cache-control"] == "no-store"
    body = response.json()
    assert list(violations({}, SCHEMA, body)) == []
    assert body["status"] == response.status_code
    assert body["request_id"] == response.headers["x-request-id"]
    assert body["type"] == f"urn:famulus:error:{body['code']}"
    assert set(body["code"]) <= set(SNAKE)
    assert body["detail"]
    assert code in (None, body["code"]), body
    for inside in ("Traceback", "sqlalchemy", "asyncpg", "sqlite3", "pydantic", 'File "', "SELECT "):
        assert inside not in response.text
