"""Knowledge over HTTP: the shapes on the wire, and what each person is told."""

from pathlib import Path

import pytest
from httpx2 import Response

from famulus.knowledge.ingest import ingest_path
from famulus.knowledge.lessons import sync_course_lessons
from famulus.knowledge.store import Owner
from tests.knowledge.papers import pack, pdf, write
from tests.support.rooms import World


async def send(world: World, who: str, name: str, content: bytes, *, course: str | None = None) -> Response:
    return await world.client.post(
        f"/api/v1/courses/{course or world.course}/sources",
        headers={"Authorization": f"Bearer {world[who].token}"},
        files={"file": (name, content)},
    )


@pytest.fixture
async def lessons_source(world: World) -> str:
    """The source of the course's lessons."""
    report = await sync_course_lessons(world.database, world.course)
    return report.source_id or ""


@pytest.mark.usefixtures("lessons_source")
async def test_search(world: World) -> None:
    answer = await world["student"].get("/api/v1/search", q="What does a node do?", course_id=world.course)

    (item,) = answer.json()["items"]
    assert answer.status_code == 200
    assert set(item) == {
        *(
            "id",
            "document_id",
            "lesson_id",
            "course_id",
            "title",
            "heading_path",
            "symbol",
            "lines",
            "text",
            "quote",
            "path",
            "url",
            "score",
            "coverage",
            "nearness",
            "words",
            "fits",
        )
    }
    assert item["lesson_id"] == world.lesson
    assert item["quote"] == "A node computes."


@pytest.mark.usefixtures("lessons_source")
async def test_a_passage_is_opened(world: World) -> None:
    (item,) = (await world["student"].get("/api/v1/search", q="node")).json()["items"]

    opened = await world["student"].get(f"/api/v1/passages/{item['id']}")

    assert opened.json() == {**item, "score": 1.0, "words": [], "before": "", "after": ""}
    assert (await world["stranger"].get(f"/api/v1/passages/{item['id']}")).status_code == 404
    assert (await world["student"].get("/api/v1/passages/chk_nowhere")).json()["code"] == "not_found"


@pytest.mark.parametrize(
    ("query", "code"),
    [({}, "invalid"), ({"q": ""}, "invalid"), ({"q": "x" * 10_001}, "invalid"), ({"q": "a\0b"}, "invalid")],
)
async def test_a_question_that_is_none(world: World, query: dict[str, str], code: str) -> None:
    answer = await world["student"].get("/api/v1/search", **query)

    assert (answer.status_code, answer.json()["code"]) == (422, code)


async def test_a_course_out_of_sight_is_not_searched(world: World) -> None:
    for who in ("idle", "stranger"):
        answer = await world[who].get("/api/v1/search", q="node", course_id=world.course)
        assert answer.status_code == 404
    assert (await world.client.get("/api/v1/search", params={"q": "node"})).status_code == 401


async def test_an_upload_and_what_became_of_it(world: World) -> None:
    answer = await send(world, "teacher", "notes.md", b"# Wheels\n\nRound things.")

    source = answer.json()
    assert answer.status_code == 201
    assert {
        key: source[key] for key in ("kind", "name", "state", "documents", "chunks", "failed", "course_id")
    } == {
        "kind": "upload",
        "name": "notes.md",
        "state": "ready",
        "documents": 1,
        "chunks": 1,
        "failed": 0,
        "course_id": world.course,
    }
    report = source.pop("report")
    assert (report["added"], report["failed"], report["skipped"]) == (1, [], [])
    assert (await world["student"].get(f"/api/v1/sources/{source['id']}")).json() == source
    found = (await world["student"].get("/api/v1/search", q="round")).json()["items"]
    assert [item["title"] for item in found] == ["Wheels"]


async def test_a_zip_with_a_bad_file(world: World, tmp_path: Path) -> None:
    files = {"a.md": "Round.", "b.pdf": b"%PDF-1.4 no", "c.png": "x", "d.pdf": pdf([["Square."]])}

    answer = await send(world, "admin", "week.zip", pack(tmp_path / "x.zip", files).read_bytes())

    report = answer.json()["report"]
    assert (report["added"], report["chunks"]) == (3, 2)
    assert report["failed"] == [{"path": "b.pdf", "reason": "This is not a readable PDF."}]
    assert [remark["path"] for remark in report["skipped"]] == ["*.png"]


@pytest.mark.parametrize(
    ("who", "status", "code"),
    [("student", 403, "forbidden"), ("idle", 404, "not_found"), ("stranger", 404, "not_found")],
)
async def test_who_may_not_upload(world: World, who: str, status: int, code: str) -> None:
    answer = await send(world, who, "notes.md", b"Round.")

    assert (answer.status_code, answer.json()["code"]) == (status, code)


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.exe", b"MZ", "unreadable_file"),
        ("a.pdf", b"%PDF-1.4", "unreadable_file"),
        ("a.md", b"", "unreadable_file"),
        ("a.zip", b"PK", "unreadable_archive"),
    ],
)
async def test_an_upload_that_cannot_be_read(world: World, name: str, content: bytes, code: str) -> None:
    answer = await send(world, "teacher", name, content)

    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert (await world["teacher"].get("/api/v1/sources")).json()["items"] == []


async def test_an_upload_without_a_file(world: World) -> None:
    answer = await world["teacher"].post(f"/api/v1/courses/{world.course}/sources", {"file": "x"})

    assert (answer.status_code, answer.json()["code"]) == (422, "unreadable_upload")


async def test_sources_and_documents_are_paged(world: World, tmp_path: Path, lessons_source: str) -> None:
    files = {f"{n}.md": f"# Page {n}\n\nRound." for n in range(5)}
    report = await ingest_path(world.database, Owner(world.ours, world.course), write(tmp_path / "x", files))
    await ingest_path(world.database, Owner(world.theirs, world.their_course), tmp_path / "x")
    student = world["student"]

    page = (await student.get("/api/v1/sources", limit=1)).json()
    rest = (await student.get("/api/v1/sources", limit=1, after=page["next"])).json()
    assert [page["items"][0]["id"], rest["items"][0]["id"], rest["next"]] == [
        lessons_source,
        report.source_id,
        None,
    ]
    assert "location" not in page["items"][0]

    path = f"/api/v1/sources/{report.source_id}/documents"
    first = (await student.get(path, limit=3)).json()
    second = (await student.get(path, limit=3, after=first["next"])).json()
    paths = [document["path"] for document in (*first["items"], *second["items"])]
    assert (paths, second["next"]) == (sorted(files), None)
    assert (await student.get(path, after="nonsense")).json()["code"] == "bad_cursor"


async def test_sources_of_a_course(world: World, tmp_path: Path, lessons_source: str) -> None:
    await ingest_path(world.database, Owner(world.ours), write(tmp_path / "x", {"a.md": "Round."}))

    every = (await world["student"].get("/api/v1/sources")).json()["items"]
    of_course = (await world["student"].get("/api/v1/sources", course_id=world.course)).json()["items"]

    assert [source["course_id"] for source in every] == [world.course, None]
    assert [source["id"] for source in of_course] == [lessons_source]
    assert (await world["idle"].get("/api/v1/sources", course_id=world.course)).status_code == 404
    assert [source["kind"] for source in (await world["idle"].get("/api/v1/sources")).json()["items"]] == [
        "folder"
    ]


async def test_drafts_are_documents_for_those_who_teach(world: World, lessons_source: str) -> None:
    path = f"/api/v1/sources/{lessons_source}/documents"

    taught = (await world["teacher"].get(path)).json()["items"]
    learnt = (await world["student"].get(path)).json()["items"]

    assert [document["title"] for document in taught] == ["Nodes", "Topics"]
    assert [document["title"] for document in learnt] == ["Nodes"]
    draft = taught[1]["id"]
    assert (await world["teacher"].get(f"/api/v1/documents/{draft}")).json()["published"] is False
    assert (await world["student"].get(f"/api/v1/documents/{draft}")).status_code == 404


async def test_a_document_with_its_text(world: World, lessons_source: str) -> None:
    (document,) = (await world["student"].get(f"/api/v1/sources/{lessons_source}/documents")).json()["items"]

    opened = (await world["student"].get(f"/api/v1/documents/{document['id']}", limit=1)).json()

    (chunk,) = opened.pop("items")
    assert opened.pop("next") is None
    assert opened == document
    assert (chunk["ordinal"], chunk["anchor"], chunk["text"]) == (0, "nodes", "A node computes.")


async def test_deleting(world: World, lessons_source: str) -> None:
    source = (await send(world, "teacher", "notes.md", b"Round.")).json()["id"]
    path = f"/api/v1/sources/{source}"

    assert (await world["student"].delete(path)).status_code == 403
    assert (await world["stranger"].delete(path)).status_code == 404
    assert (await world["teacher"].delete(path)).status_code == 204
    assert (await world["teacher"].delete(path)).status_code == 404
    assert (await world["teacher"].get("/api/v1/search", q="round")).json()["items"] == []
    refused = await world["teacher"].delete(f"/api/v1/sources/{lessons_source}")
    assert (refused.status_code, refused.json()["code"]) == (409, "lessons_source")


async def test_general_material_is_removed_by_those_who_administer(world: World, tmp_path: Path) -> None:
    files = {f"{n:02}.md": "Round." for n in range(40)}
    report = await ingest_path(world.database, Owner(world.ours), write(tmp_path / "x", files))
    path = f"/api/v1/sources/{report.source_id}"

    assert (await world["teacher"].delete(path)).status_code == 403
    assert (await world["their_admin"].delete(path)).status_code == 404
    assert (await world["admin"].delete(path)).status_code == 204
    assert (await world["admin"].get("/api/v1/search", q="round")).json()["items"] == []
