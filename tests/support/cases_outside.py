"""Operations of API keys, and of signing in through a provider."""

from tests.support.cases import Case

KEY = {"name": "Nightly export", "scopes": ["read"]}
ORGANIZATION = "/api/v1/organizations/{organization_id}/api-keys"
NOBODY = {"provider": "nobody"}

CASES_OUTSIDE: dict[str, Case] = {
    "GET /api/v1/api-keys": Case(),
    "POST /api/v1/api-keys": Case(status=201, body=KEY),
    "DELETE /api/v1/api-keys/{key_id}": Case(status=204, path={"key_id": "{spare_key}"}),
    f"GET {ORGANIZATION}": Case("admin", needs="organization_admin"),
    f"POST {ORGANIZATION}": Case("admin", 201, body={**KEY, "role": "teacher"}, needs="organization_admin"),
    f"DELETE {ORGANIZATION}/{{key_id}}": Case(
        "admin", 204, path={"key_id": "{spare_organization_key}"}, needs="organization_admin"
    ),
    "GET /api/auth/oidc": Case(None),
    "GET /api/auth/oidc/{provider}/start": Case(None, 302, path=NOBODY),
    "GET /api/auth/oidc/{provider}/callback": Case(None, 302, path=NOBODY),
}
