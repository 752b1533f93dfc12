"""Accounts, sessions and mails: every operation with a request that succeeds."""

from tests.support.academy import PASSWORD
from tests.support.cases import Case

CASES_ACCOUNTS: dict[str, Case] = {
    "PATCH /api/auth/me": Case(
        "peer", body={"locale": "en", "profile": {"hardware_tier": "laptop", "hobby": "sailing {new}"}}
    ),
    "POST /api/auth/password": Case(
        "peer", 204, body={"current_password": PASSWORD, "new_password": PASSWORD}
    ),
    "POST /api/auth/password/forgot": Case(None, 202, body={"email": "{new}@famulus.local"}),
    "POST /api/auth/password/reset": Case(None, 204, body={"token": "{reset_token}", "password": PASSWORD}),
    "POST /api/auth/email": Case("peer", 202, body={"email": "{new}@famulus.local", "password": PASSWORD}),
    "POST /api/auth/email/verification": Case("peer", 202),
    "POST /api/auth/email/verify": Case(None, body={"token": "{verify_token}"}),
    "GET /api/auth/sessions": Case("student"),
    "DELETE /api/auth/sessions": Case("peer", 204),
    "DELETE /api/auth/sessions/{session_id}": Case("classmate", 204, path={"session_id": "{spare_session}"}),
    "POST /api/v1/ws-tickets": Case(status=201),
    "GET /api/v1/accounts": Case("site", needs="site_admin"),
    "GET /api/v1/accounts/{user_id}": Case("site", path={"user_id": "{spare_account}"}),
    "POST /api/v1/accounts/{user_id}/suspend": Case("site", path={"user_id": "{spare_account}"}),
    "POST /api/v1/accounts/{user_id}/restore": Case("site", path={"user_id": "{spare_account}"}),
    "POST /api/v1/accounts/{user_id}/verify": Case("site", path={"user_id": "{spare_account}"}),
    "GET /api/auth/me/export": Case(),
    # With the right password the tests that follow would miss somebody; `test_deletion` says it.
    "POST /api/auth/me/delete": Case("peer", 403, body={"password": "not the password"}),
    "DELETE /api/v1/accounts/{user_id}": Case("site", 204, path={"user_id": "{doomed_account}"}),
    "GET /api/v1/mails": Case("site", needs="site_admin"),
    "GET /api/v1/mails/{mail_id}": Case("site"),
}
