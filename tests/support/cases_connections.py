"""Operations of connections to servers of others."""

from tests.support.cases import Case
from tests.support.shop import tiny_document

NEW = {
    "organization_id": "{organization}",
    "name": "api_{new}",
    "auth": {"kind": "bearer", "token": "s3cret"},
}
TINY = tiny_document().replace("{", "{{").replace("}", "}}")
"""Braces are doubled, for names in braces are filled in."""
ONE = "/api/v1/connections/{connection_id}"

CASES_CONNECTIONS: dict[str, Case] = {
    "GET /api/v1/connections": Case(
        "admin", query={"organization_id": "{organization}"}, needs="organization_admin"
    ),
    "POST /api/v1/connections": Case(
        "admin", 201, body={**NEW, "document": TINY}, needs="organization_admin"
    ),
    f"GET {ONE}": Case("admin"),
    f"PATCH {ONE}": Case("admin", body={"allow": ["list_*"]}),
    f"POST {ONE}/test": Case("admin"),
    f"GET {ONE}/tools": Case("admin"),
    # Of an API there is nothing to approve, and this is not what was found there.
    f"POST {ONE}/approve": Case("admin", 409, body={"document_hash": "0" * 64}),
    f"DELETE {ONE}": Case("admin", 204, path={"connection_id": "{spare_connection}"}),
}
