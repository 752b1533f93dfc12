"""Taking in folders and uploads: only what changed, all of what changed, and a line for what cannot be read."""

import asyncio
import os
import shutil
from pathlib import Path

import pytest
from sqlalchemy import event, text

from famulus.kernel.database import Database
from famulus.knowledge import walk
from famulus.knowledge.errors import NothingToRead, SourceVanished, UnreadableArchive, UnreadableFile
from famulus.knowledge.files import FileRef, Limits, Reader
from famulus.knowledge.ingest import BATCH_FILES, Report, Terms, ingest_path, ingest_upload
from famulus.knowledge.retrieve import search
from famulus.knowledge.store import Owner
from tests.knowledge.papers import pack, pdf, write
from tests.support.rooms import World


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder of the test's own, without its database."""
    (tmp_path / "folder").mkdir()
    return tmp_path / "folder"


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clocks so fine that no file has to wait until its times tell a later change from this one."""
    monkeypatch.setattr(walk, "SETTLED", 0)


async def titles(world: World, question: str, who: str = "student") -> list[str]:
    """What a person finds, sorted."""
    found = await search(
        world.database, await world.principal(who), question, course_id=world.course, limit=20
    )
    return sorted(passage.title for passage in found)


async def rows(database: Database, query: str) -> list[tuple[object, ...]]:
    async with database.read() as session:
        return [tuple(row) for row in await session.execute(text(query))]


def counts(report: Report) -> tuple[int, int, int, int]:
    return report.added, report.changed, report.unchanged, report.removed


async def test_a_folder_becomes_a_source(
    database: Database, world: World, owner: Owner, folder: Path
) -> None:
    files = {
        "wheels.md": "# Wheels\n\nRound.",
        "sub/axle.html": "<main><h1>Axle</h1><p>Round, too.</p></main>",
    }
    write(folder, {**files, "manual.pdf": pdf([["A round manual."]], "Manual"), "notes.txt": "Round notes."})
    seen: list[tuple[int, int]] = []

    terms = Terms(on_progress=lambda done, total: seen.append((done, total)))
    report = await ingest_path(database, owner, folder, terms=terms)

    assert counts(report) == (4, 0, 0, 0)
    assert (report.failed, report.skipped, report.notes, report.chunks) == ([], [], [], 4)
    assert seen == [(4, 4)]
    assert await titles(world, "round") == ["Axle", "Manual", "Wheels", "notes"]
    found = await rows(
        database, "SELECT kind, state, documents, chunks, failed FROM sources WHERE kind = 'folder'"
    )
    assert found == [("folder", "ready", 4, 4, 0)]


async def test_only_what_changed_is_read_again(
    database: Database, world: World, owner: Owner, folder: Path
) -> None:
    write(folder, {"same.md": "Round same.", "changed.md": "Round old.", "gone.md": "Round gone."})
    await ingest_path(database, owner, folder)
    before = dict(await rows(database, "SELECT path, id FROM documents WHERE path LIKE '%.md'"))
    write(folder, {"changed.md": "Round new.", "added.md": "Round added."})
    (folder / "gone.md").unlink()

    report = await ingest_path(database, owner, folder)

    assert counts(report) == (1, 1, 1, 1)
    assert await titles(world, "round") == ["added", "changed", "same"]
    assert await titles(world, "old gone") == []
    after = dict(await rows(database, "SELECT path, id FROM documents WHERE path LIKE '%.md'"))
    assert after["changed.md"] == before["changed.md"]


@pytest.mark.usefixtures("settled")
async def test_nothing_new_writes_nothing(database: Database, owner: Owner, folder: Path) -> None:
    write(folder, {"a.md": "Round.", "broken.pdf": b"%PDF-1.4 no"})
    first = await ingest_path(database, owner, folder)
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    event.listen(database.engine.sync_engine, "before_cursor_execute", note)
    report = await ingest_path(database, owner, folder)

    assert counts(report) == (0, 0, 2, 0)
    assert (report.source_id, report.chunks, report.failed) == (first.source_id, 1, first.failed)
    assert not [text for text in statements if text.split()[0] in ("INSERT", "UPDATE", "DELETE")]


async def test_a_passage_keeps_its_id_while_its_text_stays(
    database: Database, world: World, owner: Owner, folder: Path
) -> None:
    parts = [f"## Part {n}\n\n{f'Sentence {n} of some length. ' * 20}" for n in range(3)]
    write(folder, {"a.md": "\n\n".join(parts)})
    await ingest_path(database, owner, folder)
    before = dict(await rows(database, "SELECT anchor, id FROM chunks"))
    write(folder, {"a.md": "\n\n".join([parts[0], "## New\n\n" + "New text. " * 50, parts[2]])})

    await ingest_path(database, owner, folder)

    after = dict(await rows(database, "SELECT anchor, id FROM chunks"))
    assert after["part-0"] == before["part-0"]
    assert after["part-2"] == before["part-2"]
    assert set(after) == {"part-0", "new", "part-2"}


async def test_bad_files_are_named_and_the_rest_goes_on(
    database: Database, world: World, owner: Owner, folder: Path
) -> None:
    bad = {
        "binary.md": b"\x89PNG\0\0\0",
        "empty.txt": "",
        "broken.pdf": b"%PDF-1.4 no",
        "locked.pdf": pdf([["x"]], locked=True),
        "large.html": "<p>" + "x" * 5_000,
        "closed.md": "x",
    }
    write(folder, {**bad, "good.md": "Round.", "latin.txt": "größer".encode("latin-1")})
    (folder / "closed.md").unlink()
    (folder / "closed.md").symlink_to("/proc/self/mem")

    report = await ingest_path(database, owner, folder, terms=Terms(Limits(file_bytes=4_000)))

    assert sorted(remark.path for remark in report.failed) == sorted(set(bad) - {"closed.md"})
    assert all(remark.reason.endswith(".") for remark in report.failed)
    assert [remark.path for remark in report.notes] == ["latin.txt"]
    assert await titles(world, "round") == ["good"]
    found = await rows(database, "SELECT documents, failed, state FROM sources WHERE kind = 'folder'")
    assert found == [(7, 5, "ready")]


async def test_what_took_too_long_is_tried_again(database: Database, owner: Owner, folder: Path) -> None:
    write(folder, {"a.pdf": pdf([["Round."]])})
    slow = await ingest_path(database, owner, folder, terms=Terms(Limits(seconds=0.001)))

    report = await ingest_path(database, owner, folder)

    assert len(slow.failed) == 1
    assert (counts(report), report.failed, report.chunks) == ((0, 1, 0, 0), [], 1)


async def test_many_files_and_a_run_that_is_killed(
    database: Database, world: World, owner: Owner, folder: Path
) -> None:
    count = 3 * BATCH_FILES
    write(folder, {f"{n:03}.md": f"# Page {n}\n\nRound {n}." for n in range(count)})
    half = asyncio.Event()
    terms = Terms(on_progress=lambda _done, _total: half.set())
    run = asyncio.create_task(ingest_path(database, owner, folder, terms=terms))
    await half.wait()
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    written = len(await rows(database, "SELECT 1 FROM documents WHERE path LIKE '%.md'"))
    assert 0 < written < count
    assert (await rows(database, "SELECT state FROM sources WHERE kind = 'folder'")) == [("indexing",)]

    report = await ingest_path(database, owner, folder)

    assert counts(report) == (count - written, 0, written, 0)
    assert (await rows(database, "SELECT state, documents FROM sources WHERE kind = 'folder'")) == [
        ("ready", count)
    ]


async def test_a_source_deleted_meanwhile_ends_the_run(
    database: Database, owner: Owner, folder: Path
) -> None:
    write(folder, {f"{n:03}.md": f"Round {n}." for n in range(2 * BATCH_FILES)})
    deleted: list[asyncio.Task[None]] = []

    async def delete() -> None:
        async with database.write() as session:
            await session.execute(text("DELETE FROM sources WHERE kind = 'folder'"))

    terms = Terms(on_progress=lambda *_: deleted.append(asyncio.create_task(delete())))
    with pytest.raises(SourceVanished):
        await ingest_path(database, owner, folder, terms=terms)
    await asyncio.gather(*deleted)
    assert await rows(database, "SELECT 1 FROM chunks") == []


async def test_two_owners_two_sources(database: Database, world: World, owner: Owner, folder: Path) -> None:
    write(folder, {"a.md": "Round."})
    mine = await ingest_path(database, owner, folder)
    general = await ingest_path(database, Owner(world.ours), folder)
    theirs = await ingest_path(database, Owner(world.theirs, world.their_course), folder)

    assert len({mine.source_id, general.source_id, theirs.source_id}) == 3
    assert (await ingest_path(database, Owner(world.ours), folder)).source_id == general.source_id


async def test_a_folder_that_has_gone_takes_nothing_with_it(
    database: Database, owner: Owner, folder: Path
) -> None:
    write(folder / "notes", {"a.md": "Round."})
    await ingest_path(database, owner, folder / "notes")
    (folder / "notes").rename(folder / "elsewhere")

    with pytest.raises(NothingToRead):
        await ingest_path(database, owner, folder / "notes")

    assert await rows(database, "SELECT path FROM documents WHERE path LIKE '%.md'") == [("a.md",)]


async def test_a_zip_in_place_of_a_folder(
    database: Database, world: World, owner: Owner, folder: Path
) -> None:
    place = pack(folder / "week.zip", {"a/wheels.md": "# Wheels\n\nRound.", "b.pdf": pdf([["Round."]], "B")})

    report = await ingest_path(database, owner, place)

    assert counts(report) == (2, 0, 0, 0)
    assert await titles(world, "round") == ["B", "Wheels"]
    assert counts(await ingest_path(database, owner, place)) == (0, 0, 2, 0)


async def test_an_upload_replaces_the_one_of_the_same_name(
    database: Database, world: World, owner: Owner, folder: Path
) -> None:
    stored = folder / "upload"
    stored.write_text("# First\n\nRound.")
    first = await ingest_upload(database, owner, stored, "notes.md")
    stored.write_text("# Second\n\nRound.")

    second = await ingest_upload(database, owner, stored, "C:\\notes\\notes.md")

    assert second.source_id == first.source_id
    assert await titles(world, "round") == ["Second"]


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("a.pdf", b"%PDF-1.4 no", UnreadableFile),
        ("a.md", b"\0\0", UnreadableFile),
        ("a.exe", b"MZ", UnreadableFile),
        ("a.zip", b"no zip", UnreadableArchive),
    ],
)
async def test_an_upload_that_cannot_be_read_leaves_nothing_behind(
    database: Database, owner: Owner, folder: Path, name: str, content: bytes, problem: type[Exception]
) -> None:
    stored = folder / "upload"
    stored.write_bytes(content)

    with pytest.raises(problem):
        await ingest_upload(database, owner, stored, name)

    assert await rows(database, "SELECT 1 FROM sources WHERE kind = 'upload'") == []


async def test_several_runs_of_one_folder_at_once(
    database: Database, world: World, owner: Owner, folder: Path
) -> None:
    write(folder, {f"{n:02}.md": f"# Page {n}\n\nRound {n}." for n in range(20)})
    await asyncio.gather(*(ingest_path(database, owner, folder) for _ in range(3)))
    write(folder, {f"{n:02}.md": f"# Page {n}\n\nSquare {n}." for n in range(20)})

    await asyncio.gather(*(ingest_path(database, owner, folder) for _ in range(3)))

    assert await rows(
        database, "SELECT count(*), count(DISTINCT path) FROM documents WHERE path LIKE '%.md'"
    ) == [(20, 20)]
    assert len(await titles(world, "square")) == 20


def long_ago(*paths: Path) -> None:
    """Have files look as if nobody had touched them lately; the time of change of an inode is nobody's to set."""
    for path in paths:
        os.utime(path, (1_700_000_000, 1_700_000_000))


@pytest.mark.usefixtures("settled")
async def test_what_looks_the_same_from_outside_is_not_even_opened(
    database: Database, owner: Owner, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(folder, {"a.md": "Round.", "b.md": "Square."})
    await ingest_path(database, owner, folder)
    opened: list[str] = []
    fingerprint = Reader.fingerprint

    def noted(reader: Reader, ref: FileRef) -> str:
        opened.append(ref.path)
        return fingerprint(reader, ref)

    monkeypatch.setattr(Reader, "fingerprint", noted)

    assert counts(await ingest_path(database, owner, folder)) == (0, 0, 2, 0)
    assert opened == []
    assert counts(await ingest_path(database, owner, folder, terms=Terms(thorough=True))) == (0, 0, 2, 0)
    assert opened == ["a.md", "b.md"]
    opened.clear()
    long_ago(folder / "a.md")
    assert counts(await ingest_path(database, owner, folder)) == (0, 0, 2, 0)
    assert counts(await ingest_path(database, owner, folder)) == (0, 0, 2, 0)
    assert opened == ["a.md"], "once, for it looked different; then what it looks like is known again"


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize("way", ["written over", "copied over", "put in its place"])
async def test_a_change_that_keeps_size_and_date_is_seen(
    database: Database, world: World, owner: Owner, folder: Path, way: str
) -> None:
    write(folder, {"notes/a.md": "Round wheel."})
    place, other = folder / "notes" / "a.md", folder / "other.md"
    long_ago(place)
    await ingest_path(database, owner, folder / "notes")
    other.write_text("Steel wheel.")
    long_ago(other)

    if way == "written over":
        place.write_text("Steel wheel.")
        long_ago(place)
    elif way == "copied over":
        shutil.copy2(other, place)
    else:
        other.rename(place)

    assert place.stat().st_mtime == 1_700_000_000
    assert counts(await ingest_path(database, owner, folder / "notes")) == (0, 1, 0, 0)
    assert await titles(world, "steel") == ["a"]


async def test_a_file_that_was_just_touched_is_looked_into_again(
    database: Database, owner: Owner, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walk, "SETTLED", 10**13)
    write(folder, {"a.md": "Round."})
    await ingest_path(database, owner, folder)

    assert await rows(database, "SELECT stamp FROM documents WHERE path = 'a.md'") == [("",)]
