"""What the other rooms keep in the very large organization: threads, runs, assistants, knowledge, mails, keys."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from bench.crowd import AT, BEGAN, COURSES, ORGANIZATION, STAMPS, Row, Table, id_of, when

from famulus.knowledge.index import scope_word
from famulus.knowledge.mentions import filed_under
from famulus.knowledge.names import key_of, number_of

THREADS, MESSAGES, EVENTS, VERSIONS = 10_000, 10_000, 5_000, 1_000
DOCUMENTS, CHUNKS, MAILS, KEYS, SESSIONS = 10_000, 2_000, 10_000, 1_000, 1_000
GOLDEN = 500
LATER = datetime(2099, 1, 1, tzinfo=UTC)


def tables(accounts: Mapping[str, str]) -> Iterator[Table]:
    """Everything; `accounts` are ids by name."""
    student = accounts["student"]
    yield "assistants", (
        "id", "scope", "organization_id", "course_id", "name", "name_key", "active", "version", *STAMPS
    ), _assistants()  # fmt: skip
    yield "assistant_versions", (
        "assistant_id", "version", "instructions", "settings", "created_at"
    ), _versions()  # fmt: skip
    yield (
        "threads",
        ("id", "user_id", "organization_id", "course_id", "assistant_id", "title", "last_position", *STAMPS),
        _threads(student),
    )
    yield "messages", ("id", "thread_id", "position", "role", "status", "parts", "created_at"), _messages()
    yield "runs", (
        "id", "thread_id", "user_id", "message_id", "status", "epoch", "lease_until", "cancel_requested", "body_hash",
        "asker", "input_tokens", "output_tokens", "cited", "created_at"
    ), _runs(student)  # fmt: skip
    yield "approvals", (
        "id", "run_id", "thread_id", "user_id", "organization_id", "call_id", "tool", "arguments", "card", "hash",
        "approver", "status", "expires_at", "created_at"
    ), _approvals(student)  # fmt: skip
    yield "run_events", ("run_id", "epoch", "n", "last", "data"), _events()
    yield "sources", (
        "id", "organization_id", "course_id", "kind", "name", "location", "state", "documents", "chunks", "failed",
        *STAMPS
    ), _sources()  # fmt: skip
    yield "golden_questions", (
        "id", "course_id", "question", "document", "passage", "place", "best", "checked_at", "created_at"
    ), _golden()  # fmt: skip
    yield "documents", (
        "id", "source_id", "organization_id", "course_id", "path", "title", "format", "content_hash", "size", "state",
        "published", *STAMPS
    ), _documents()  # fmt: skip
    yield "chunks", (
        "id", "document_id", "ordinal", "scope", "title", "heading_path", "anchor", "text", "parts"
    ), _chunks()  # fmt: skip
    yield "mentions", ("scope", "name", "passing", "chunk"), _mentions()
    yield "mails", ("id", "recipient", "subject", "body", "kind", "state", "created_at"), _mails()
    yield "users", (
        "id", "email", "name", "name_key", "profile", "locale", "site_admin", "suspended", "service", *STAMPS
    ), _programs()  # fmt: skip
    yield "api_keys", (
        "id", "user_id", "organization_id", "name", "hint", "key_hash", "scopes", "expires_at", "created_at"
    ), _keys(student)  # fmt: skip
    yield "sessions", (
        "id", "user_id", "mode", "method", "token_hash", "expires_at", "created_at"
    ), _sessions(student)  # fmt: skip


def _assistants() -> Iterator[Row]:
    """One for every course."""
    for n in range(COURSES):
        name = f"Assistant {n:05d}"
        versions = VERSIONS if n == 0 else 1
        yield (
            id_of("ast", n), "course", ORGANIZATION, id_of("crs", n), name, name.lower(), True, versions, *AT
        )  # fmt: skip


def _versions() -> Iterator[Row]:
    for n in range(1, VERSIONS + 1):
        yield id_of("ast", 0), n, "Help.", "{}", BEGAN
    for n in range(1, COURSES):
        yield id_of("ast", n), 1, "Help.", "{}", BEGAN


def _threads(student: str) -> Iterator[Row]:
    for n in range(THREADS):
        course = id_of("crs", n % 100)
        yield (
            id_of("thr", n),
            student,
            ORGANIZATION,
            course,
            id_of("ast", 0),
            f"Thread {n}",
            0,
            when(n),
            when(n),
        )


def _messages() -> Iterator[Row]:
    """All of one thread."""
    parts = '[{"type":"text","text":"Water runs downhill."}]'
    for n in range(1, MESSAGES + 1):
        role = "user" if n % 2 else "assistant"
        yield id_of("msg", n), id_of("thr", 0), n, role, "completed", parts, when(n)


def _runs(student: str) -> Iterator[Row]:
    for n in range(THREADS):
        yield (
            id_of("run", n), id_of("thr", n), student, id_of("msg", n), "completed", 1, 0.0, False, "", "{}", 1, 1, 0,
            when(n),
        )  # fmt: skip


def _approvals(student: str) -> Iterator[Row]:
    """One for each run."""
    card = (
        '{"id":"apr","call_id":"c","name":"archive_track","effect":"destroys","title":"Archive it","arguments":"{}",'
        '"changes":[],"notes":[],"hash":"h","expires_at":"2026-01-01T00:00:00Z"}'
    )
    for n in range(THREADS):
        yield (
            id_of("apr", n), id_of("run", n), id_of("thr", n), student, ORGANIZATION, "c", "archive_track", "{}", card,
            "h", "asker", "approved", 0.0, when(n),
        )  # fmt: skip


def _events() -> Iterator[Row]:
    """Of one run, its text in pieces."""
    for n in range(1, EVENTS + 1):
        yield id_of("run", 0), 1, n, n, '["water "]'


def _sources() -> Iterator[Row]:
    for n in range(COURSES):
        yield (
            id_of("src", n), ORGANIZATION, id_of("crs", n), "upload", f"Source {n}", f"{n}.zip", "ready", 1, 1, 0, *AT
        )  # fmt: skip


def _golden() -> Iterator[Row]:
    """As many as one course may have, every tenth of which got worse."""
    for n in range(GOLDEN):
        row = (f"What is document {n}?", f"{n:05d}.md", "", 5 if n % 10 == 0 else 1, 1, when(n), when(n))
        yield id_of("gld", n), id_of("crs", 0), *row


def _documents() -> Iterator[Row]:
    """All of one source."""
    for n in range(DOCUMENTS):
        yield (
            id_of("doc", n), id_of("src", 0), ORGANIZATION, id_of("crs", 0), f"{n:05d}.md", f"Document {n}", "markdown",
            "", 1, "ready", n % 10 > 0, *AT,
        )  # fmt: skip


def _chunks() -> Iterator[Row]:
    """All of one document."""
    for n in range(CHUNKS):
        text = f"Water runs downhill {n}."
        yield id_of("chk", n), id_of("doc", 1), n, "bench", "Document 1", "[]", "", text, ""


def _mentions() -> Iterator[Row]:
    """A name that every chunk has; chunks are numbered as they are copied."""
    scope = filed_under(scope_word(ORGANIZATION, id_of("crs", 0), published=True))
    for n in range(CHUNKS):
        yield scope, number_of(key_of("Water")), n >= CHUNKS // 10, n + 1


def _mails() -> Iterator[Row]:
    for n in range(MAILS):
        state = "failed" if n % 1000 == 3 else "sent"
        yield id_of("mai", n), f"p{n}@bench.example", "Welcome", "", "invitation", state, when(n)


def _programs() -> Iterator[Row]:
    """Accounts of an organization's keys."""
    for n in range(KEYS):
        name = f"Key {n}"
        yield (
            id_of("svc", n), f"key{n}@keys.example", name, name.lower(), "{}", "en", False, False, True, *AT
        )  # fmt: skip


def _keys(student: str) -> Iterator[Row]:
    for n in range(KEYS):
        for own in (False, True):
            who, place = (student, None) if own else (id_of("svc", n), ORGANIZATION)
            number = 2 * n + own
            yield (
                id_of("key", number), who, place, f"Key {n}", "fk_", f"key {number}", '["read"]', LATER, when(n)
            )  # fmt: skip


def _sessions(student: str) -> Iterator[Row]:
    for n in range(SESSIONS):
        yield id_of("ses", n), student, "web", "password", f"session {n}", LATER, when(n)
