"""Operations of tools: what waits for a person, what is taken back, and an organization's rules."""

from tests.support.cases import Case

RULES = "/api/v1/organizations/{organization_id}/tool-rules"
RULE = {"tools": "archive_*", "decision": "ask", "approver": "teacher"}

CASES_TOOLS: dict[str, Case] = {
    "GET /api/v1/approvals": Case(),
    "GET /api/v1/approvals/{approval_id}": Case(),
    "POST /api/v1/approvals/{approval_id}": Case(
        path={"approval_id": "{spare_approval}"}, body={"decision": "deny", "hash": "{spare_hash}"}
    ),
    "POST /api/v1/messages/{message_id}/undo": Case(
        path={"message_id": "{noted_message}"}, query={"call_id": "{noted_call}"}
    ),
    "POST /api/v1/attachments": Case(status=201, file=True),
    "GET /api/v1/attachments/{attachment_id}": Case(),
    "GET /api/v1/attachments/{attachment_id}/content": Case(),
    "GET /api/v1/attachments/{attachment_id}/thumbnail": Case(),
    "DELETE /api/v1/attachments/{attachment_id}": Case(
        status=204, path={"attachment_id": "{spare_attachment}"}
    ),
    f"GET {RULES}": Case("admin", needs="organization_admin"),
    f"PUT {RULES}": Case("admin", body={"rules": [RULE]}, needs="organization_admin"),
}
