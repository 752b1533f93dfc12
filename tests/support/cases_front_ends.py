"""The operations under the names that existing front ends use."""

from tests.support.cases import Case

CHAT, FREE = {"thread_id": "{thread}"}, {"thread_id": "{free_thread}"}
ASSISTANT = {"scope": "global", "name": "Helper {new}", "instructions": "Help."}

CASES_FRONT_ENDS: dict[str, Case] = {
    "POST /assistant/chats": Case(status=201, body={"course_id": "{course}", "title": "Mine"}),
    "GET /assistant/chats": Case(query={"course_id": "{course}"}),
    "GET /assistant/chats/{thread_id}": Case(),
    "PATCH /assistant/chats/{thread_id}": Case(body={"title": "{thread_title}"}),
    "DELETE /assistant/chats/{thread_id}": Case(path={"thread_id": "{spare_chat}"}),
    "POST /assistant/chats/{thread_id}/restore": Case(path={"thread_id": "{spare_chat}"}),
    "GET /assistant/chats/{thread_id}/messages": Case(),
    "POST /assistant/chats/send": Case(body={"message": "Hello."}),
    "POST /assistant/chats/send/stream": Case(body={"message": "Hello."}),
    "GET /assistant/chats/stream/{run_id}": Case(),
    "POST /api/chat": Case(body={"message": "Hello."}, refusal=400),
    "POST /api/chat/message": Case(body={"message": "Hello."}, refusal=400),
    "GET /assistants": Case("teacher", query={"course_id": "{course}", "org_id": "{organization}"}),
    "POST /assistants": Case(
        "site",
        201,
        body=ASSISTANT,
        beside={
            "organization_id": {"scope": "organization", "role": "student"},
            "course_id": {"scope": "course"},
        },
        needs="site_admin",
    ),
    "GET /assistants/resolve": Case(query={"course_id": "{course}", "org_id": "{organization}"}),
    "GET /assistants/{assistant_id}": Case("teacher"),
    "PATCH /assistants/{assistant_id}": Case("teacher", body={"name": "Guide {new}"}, needs="teacher"),
    "POST /courses/{course_id}/assistant": Case(
        "admin",
        201,
        path={"course_id": "{bare_course}"},
        body={"name": "Helper", "instructions": "Help."},
        needs="teacher",
    ),
    "GET /courses/my": Case(),
    "POST /api/v1/threads/{thread_id}/archive": Case(path={"thread_id": "{spare_chat}"}),
    "POST /api/v1/threads/{thread_id}/restore": Case(path={"thread_id": "{spare_chat}"}),
}
"""By `METHOD /path`."""
