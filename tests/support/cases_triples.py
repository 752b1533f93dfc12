"""Operations of what a model reads of how things are related."""

from tests.support.cases import Case

TRIPLES = "/api/v1/organizations/{organization_id}/triples"

CASES_TRIPLES: dict[str, Case] = {
    f"GET {TRIPLES}/estimate": Case("admin", needs="organization_admin"),
    f"GET {TRIPLES}": Case("admin", needs="organization_admin"),
    f"POST {TRIPLES}": Case("admin", 202, body={"token_budget": 1_000}, needs="organization_admin"),
    f"POST {TRIPLES}/cancel": Case("admin", needs="organization_admin"),
    f"DELETE {TRIPLES}": Case("admin", 204, needs="organization_admin"),
}
