"""What every index has to do, asked of each in the same words."""

import math
from abc import ABC, abstractmethod
from array import array
from collections.abc import AsyncIterator, Sequence

import pytest
from sqlalchemy import text

from famulus.kernel.database import Database
from famulus.knowledge import ddl, vectors
from famulus.knowledge.elsewhere import Elsewhere, elsewhere
from famulus.knowledge.index import Found, Hit, Index, Scope, Target
from famulus.knowledge.index_postgres import PostgresIndex
from famulus.knowledge.index_sqlite import SqliteIndex
from famulus.knowledge.parse import digest, parse
from famulus.knowledge.retrieve import search
from famulus.knowledge.slices import packed
from famulus.knowledge.store import (
    Draft,
    Known,
    Owner,
    Place,
    begin,
    finish,
    known_documents,
    publish,
    put,
    remove,
)
from famulus.knowledge.words import read_question
from famulus.llm.embedding.protocol import Vectors
from tests.support.rooms import World

HOSTILE = (
    '"',
    '"""',
    "a AND",
    "NEAR(robot, 5)",
    "robot*",
    "^robot -wheel +axle",
    "scope : robot",
    "{title text} : robot",
    "robot' OR 1=1 --",
    "robot & ! | ( ) <-> :*",
    "col:robot %s %(x)s :t0 {0} \\",
    "🤖🤖🤖",
    "\u202erobot\u200d",
    "ro\0bot",
    "\ud800",
    "robot " * 2_000,
    "x" * 10_000,
)

FORMS = (
    ("publishing", "It publishes poses."),
    ("cmd_vel", "The topic cmd_vel moves it."),
    ("/scan", "Listen to `/scan` here."),
    ("laser scan", "A LaserScan message."),
    ("LaserScan", "A laser and its scan."),
    ("Node", "Import rclpy.node.Node first."),
    ("example.com", "See https://example.com/docs for it."),
    ("cafe", "Das Café am Ring."),
    ("Café", "Das Cafe am Ring."),
    ("导航", "机器人导航课程"),
    ("робот", "Это робот."),
    ("2d", "Use nav2_costmap_2d for it."),
    ("C++", "Written in C++ mostly."),
)
"""What is asked, and how it stands in the text."""


class IndexContract(ABC):
    """Inherited by one class for each index, which names its database."""

    index: Index

    @pytest.fixture
    @abstractmethod
    def dialect(self) -> str:
        """The database that has this index."""

    async def caught_up(self, database: Database) -> None:
        """Have the index hear of everything; one that the database keeps has heard already."""
        assert not isinstance(self.index, Elsewhere)

    async def found(self, database: Database, question: str, scope: Scope, limit: int = 10) -> list[str]:
        """The paths of what is found, best first."""
        await self.caught_up(database)
        async with database.read() as session:
            hits = (await self.index.search(session, read_question(question), scope, limit)).hits
            rows = await session.execute(
                text(
                    "SELECT chunks.id, documents.path FROM chunks JOIN documents ON documents.id = document_id"
                )
            )
            paths = {row[0]: row[1] for row in rows}
        return [paths[hit.chunk_id] for hit in hits]

    async def test_finds_what_shares_a_word_best_first(self, database: Database, world: World) -> None:
        await store(
            database, Owner(world.ours, world.course), both="wheel and axle", one="a wheel", none="a lamp"
        )

        found = await self.found(database, "wheel axle", Scope(((world.course, False),)))

        assert found == ["both.md", "one.md"]

    async def test_a_rare_word_counts_more_than_a_common_one(self, database: Database, world: World) -> None:
        common = {f"common{n}": "robot robot robot robot" for n in range(8)}
        await store(database, Owner(world.ours, world.course), rare="robot with a gyroscope", **common)

        found = await self.found(database, "robot gyroscope", Scope(((world.course, False),)), limit=1)

        assert found == ["rare.md"]

    async def test_titles_and_headings_count_more_than_text(self, database: Database, world: World) -> None:
        await store(
            database,
            Owner(world.ours, world.course),
            title="# Odometry\n\nThe text speaks of other things here.",
            text="# Something\n\nThe text speaks of odometry here.",
            heading="# Something\n\n## Odometry\n\nThe text speaks of other things here.",
        )

        found = await self.found(database, "odometry", Scope(((world.course, False),)))

        assert len(found) == 3
        assert found[-1] == "text.md"

    async def test_meets_words_in_other_forms(self, database: Database, world: World) -> None:
        contents = {f"it{n}": content for n, (_, content) in enumerate(FORMS)}
        await store(database, Owner(world.ours, world.course), **contents, other="Something quite different.")

        for n, (question, _) in enumerate(FORMS):
            found = await self.found(database, question, Scope(((world.course, False),)))
            assert f"it{n}.md" in found, question
            assert "other.md" not in found

    async def test_words_side_by_side_come_first(self, database: Database, world: World) -> None:
        await store(
            database,
            Owner(world.ours, world.course),
            apart="The node has a long lifecycle, and the node sleeps. Velocity comes by cmd.",
            together="The lifecycle node starts. It hears cmd_vel and more words of no matter.",
        )

        scope = Scope(((world.course, False),))

        assert (await self.found(database, '"lifecycle node"', scope))[0] == "together.md"
        assert (await self.found(database, "cmd_vel", scope))[0] == "together.md"

    async def test_searches_the_scope_alone(self, database: Database, world: World) -> None:
        for name, owner in (
            ("course", Owner(world.ours, world.course)),
            ("general", Owner(world.ours)),
            ("theirs", Owner(world.theirs, world.their_course)),
            ("their_general", Owner(world.theirs)),
        ):
            await store(database, owner, **{name: "A word: gyroscope."})

        assert await self.found(database, "gyroscope", Scope(((world.course, True),))) == ["course.md"]
        assert await self.found(database, "gyroscope", Scope((), world.ours)) == ["general.md"]
        both = await self.found(database, "gyroscope", Scope(((world.course, False),), world.ours))
        assert sorted(both) == ["course.md", "general.md"]
        assert await self.found(database, "gyroscope", Scope()) == []

    async def test_a_text_cannot_pretend_to_be_of_another_scope(
        self, database: Database, world: World
    ) -> None:
        words = " ".join(Scope(((world.their_course, True),), world.theirs).words)
        await store(
            database, Owner(world.ours, world.course), spy=f"# {words}\n\n{words} gyroscope scope: {words}"
        )

        assert (
            await self.found(database, "gyroscope", Scope(((world.their_course, True),), world.theirs)) == []
        )
        assert await self.found(database, words, Scope(((world.their_course, True),), world.theirs)) == []

    async def test_finds_what_is_wanted_alone(self, database: Database, world: World) -> None:
        owner = Owner(world.ours, world.course)
        notes = await store(database, owner, a="gyroscope one", b="gyroscope two", c="gyroscope three")
        other = await store(database, owner, source="other", d="gyroscope four")
        async with database.write() as session:
            change = "UPDATE documents SET format = :format WHERE path = :path"
            for path, format in (("a.md", "code"), ("b.md", "openapi"), ("d.md", "code")):
                await session.execute(text(change), {"path": path, "format": format})
        await embed(database)

        for wanted, paths in (
            ({"sources": (notes,)}, "abc"),
            ({"sources": (other, "src_none")}, "d"),
            ({"kinds": ("code",)}, "ad"),
            ({"kinds": ("operation", "document")}, "bc"),
            ({"sources": (notes,), "kinds": ("code",)}, "a"),
            ({"kinds": ("lesson",)}, ""),
            ({}, "abcd"),
        ):
            scope = Scope(((world.course, False),), **wanted)
            assert sorted(await self.found(database, "gyroscope", scope)) == [f"{path}.md" for path in paths]
            assert sorted(await self.near(database, "gyroscope", scope, 10, "abcd")) == [*paths]

    async def test_publication_is_followed(self, database: Database, world: World) -> None:
        owner = Owner(world.ours, world.course)
        source_id = await store(database, owner, it="A gyroscope.")
        learner, teacher = Scope(((world.course, False),)), Scope(((world.course, True),))

        async with database.write() as session:
            (known,) = await known_documents(session, source_id)
            await publish(session, owner, known, published=False)
        assert await self.found(database, "gyroscope", learner) == []
        assert await self.found(database, "gyroscope", teacher) == ["it.md"]

        async with database.write() as session:
            await publish(session, owner, known, published=True)
        assert await self.found(database, "gyroscope", learner) == ["it.md"]

    async def test_what_is_removed_or_replaced_is_not_found(self, database: Database, world: World) -> None:
        owner = Owner(world.ours, world.course)
        scope = Scope(((world.course, False),))
        source_id = await store(database, owner, it="A gyroscope.", other="A gyroscope, too.")

        await store(database, owner, it="An accelerometer.")
        assert await self.found(database, "gyroscope", scope) == ["other.md"]
        assert await self.found(database, "accelerometer", scope) == ["it.md"]

        async with database.write() as session:
            await remove(session, [row.id for row in await known_documents(session, source_id)])
        assert await self.found(database, "gyroscope accelerometer", scope) == []

    async def test_what_hangs_on_something_removed_is_not_found(
        self, database: Database, world: World
    ) -> None:
        await store(database, Owner(world.ours, world.course), it="A gyroscope.")

        async with database.write() as session:
            await session.execute(text("DELETE FROM courses WHERE id = :id"), {"id": world.course})

        assert await self.found(database, "gyroscope", Scope(((world.course, True),))) == []

    async def test_what_is_rolled_back_is_not_found(self, database: Database, world: World) -> None:
        owner = Owner(world.ours, world.course)
        with pytest.raises(RuntimeError):
            async with database.write() as session:
                source_id = await begin(session, Place(owner, "folder", "notes", "notes"))
                await put(session, source_id, owner, [draft("it", "A gyroscope.")])
                raise RuntimeError

        assert await self.found(database, "gyroscope", Scope(((world.course, True),))) == []

    async def test_counts_how_common_words_are_within_the_scope(
        self, database: Database, world: World
    ) -> None:
        await store(database, Owner(world.ours, world.course), a="robot wheel", b="robot")
        await store(database, Owner(world.theirs, world.their_course), c="wheel", d="wheel")
        await self.caught_up(database)

        async with database.read() as session:
            question = read_question("robot wheel sourdough")
            found = await self.index.search(session, question, Scope(((world.course, False),)), 1)

        assert found.frequencies == {"robot": 2, "wheel": 1, "sourdough": 0}
        assert found.total == 2

    async def test_no_question_is_a_syntax_error(self, database: Database, world: World) -> None:
        await store(database, Owner(world.ours, world.course), it="Robot wheels.")

        for question in HOSTILE:
            found = await self.found(database, question, Scope(((world.course, False),)))
            assert found == (["it.md"] if "robot" in question else []), question

    async def test_a_scope_of_a_thousand_courses(self, database: Database, world: World) -> None:
        await store(database, Owner(world.ours, world.course), it="A robot.")
        courses = tuple((f"crs_{n:026}", True) for n in range(1_000))

        assert await self.found(database, "robot", Scope(courses)) == []
        assert await self.found(database, "robot", Scope((*courses, (world.course, True)))) == ["it.md"]

    async def test_can_be_taken_away_and_made_again(self, database: Database, world: World) -> None:
        scope = Scope(((world.course, False),))
        await store(database, Owner(world.ours, world.course), before="A gyroscope.")
        async with database.write() as session:
            for statement in (*ddl.drop(database.dialect), *ddl.create(database.dialect)):
                await session.execute(text(statement.replace(":", r"\:")))
            if database.dialect == "sqlite":
                await session.execute(text("INSERT INTO chunk_words(chunk_words) VALUES ('rebuild')"))

        assert await self.found(database, "gyroscope", scope) == ["before.md"]

    async def near(
        self, database: Database, towards: str, scope: Scope, limit: int = 10, besides: Sequence[str] = ()
    ) -> list[str]:
        """The titles of the nearest, best first."""
        await self.caught_up(database)
        async with database.read() as session:
            model = (await vectors.models(session))[0].id
            titles = {
                row[0]: row[1] for row in await session.execute(text("SELECT number, title FROM chunks"))
            }
            also = [number for number, title in titles.items() if title in besides]
            target = Target(model, LENGTH, array("f", meaning(towards)).tobytes())
            hits = await self.index.nearest(session, target, scope, limit, also)
        assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
        return [titles[hit.number] for hit in hits]

    async def test_finds_the_nearest_first(self, database: Database, world: World) -> None:
        await store(database, Owner(world.ours, world.course), abc="a b c", ab="a b", z="z")
        await embed(database)
        scope = Scope(((world.course, False),))

        assert await self.near(database, "abc", scope) == ["abc", "ab", "z"]
        assert await self.near(database, "abc", scope, 1) == ["abc"]
        assert await self.near(database, "abc", scope, 1, ["z"]) == ["abc", "z"]
        async with database.read() as session:
            model = (await vectors.models(session))[0].id
            target = Target(model, LENGTH, array("f", meaning("abc")).tobytes())
            (best,) = await self.index.nearest(session, target, scope, 1)
        assert best.score == pytest.approx(1, abs=0.002)

    async def test_meaning_is_of_the_scope_alone(self, database: Database, world: World) -> None:
        for name, owner in (
            ("course", Owner(world.ours, world.course)),
            ("general", Owner(world.ours)),
            ("theirs", Owner(world.theirs, world.their_course)),
        ):
            await store(database, owner, **{name: "a"})
        await embed(database)

        assert await self.near(database, "a", Scope(((world.course, True),))) == ["course"]
        assert await self.near(database, "a", Scope((), world.ours)) == ["general"]
        other = await self.near(database, "a", Scope(((world.course, False),)), 10, ["theirs"])
        assert other == ["course"]
        assert await self.near(database, "a", Scope()) == []

    async def test_meaning_follows_every_change(self, database: Database, world: World) -> None:
        owner = Owner(world.ours, world.course)
        learner, teacher = Scope(((world.course, False),)), Scope(((world.course, True),))
        source_id = await store(database, owner, one="a", two="b")
        assert await embed(database) == 2
        assert sorted(await self.near(database, "a", learner)) == ["one", "two"]

        known = {row.path: row for row in await self.known(database, source_id)}
        async with database.write() as session:
            await publish(session, owner, known["one.md"], published=False)
        assert await self.near(database, "a", learner) == ["two"]
        assert await self.near(database, "a", teacher) == ["one", "two"]

        await store(database, owner, three="a c")
        assert sorted(await self.near(database, "a", learner)) == ["two"]
        assert await embed(database) == 1
        assert await self.near(database, "a", learner) == ["three", "two"]

        # Numbers of chunks may be used again, and must not bring back what once had them.
        await store(database, owner, three="z")
        await embed(database)
        assert await self.near(database, "z", learner, 1) == ["three"]

        async with database.write() as session:
            await remove(session, [row.id for row in await self.known(database, source_id)])
        assert await self.near(database, "a", teacher) == []
        async with database.read() as session:
            assert await session.scalar(text("SELECT count(*) FROM chunk_vectors")) == 0

    async def known(self, database: Database, source_id: str) -> list[Known]:
        async with database.read() as session:
            return await known_documents(session, source_id)

    async def test_no_text_is_embedded_twice(self, database: Database, world: World) -> None:
        ours, theirs = Owner(world.ours, world.course), Owner(world.theirs, world.their_course)
        await store(database, ours, one="# Same\n\na b", two="# Other\n\nc")
        await embed(database)

        # Read again, renamed, and brought by somebody else.
        await store(database, ours, one="# Same\n\na b", new="x", moved="# Other\n\nc")
        await store(database, theirs, copy="# Same\n\na b")

        assert await embed(database) == 1
        assert "Same" in await self.near(database, "ab", Scope(((world.their_course, False),)))


class TestSqliteIndex(IndexContract):
    """FTS5, and vectors in memory."""

    @pytest.fixture(autouse=True)
    def _fresh(self) -> None:
        self.index = SqliteIndex()

    @pytest.fixture
    def dialect(self) -> str:
        return "sqlite"

    async def test_the_index_agrees_with_the_chunks(self, database: Database, world: World) -> None:
        owner = Owner(world.ours, world.course)
        source_id = await store(database, owner, a="One.", b="Two.", c="Three.")
        await store(database, owner, a="Uno.", b="Two.")
        async with database.write() as session:
            await remove(session, [row.id for row in await known_documents(session, source_id)][:1])
            await publish(session, owner, (await known_documents(session, source_id))[0], published=False)

        async with database.write() as session:
            check = "INSERT INTO chunk_words(chunk_words, rank) VALUES ('integrity-check', 1)"
            await session.execute(text(check))


@pytest.mark.postgres
class TestPostgresIndex(IndexContract):
    """A tsvector column and pgvector."""

    index = PostgresIndex()

    @pytest.fixture
    def dialect(self) -> str:
        return "postgresql"

    async def test_plans_once_whatever_is_asked(self, database: Database, world: World) -> None:
        await store(database, Owner(world.ours, world.course), it="Robot wheels and their axles.")
        for question in ("robot", "robot wheels axles", '"robot wheels" of cmd_vel and much more besides'):
            assert await search(database, await world.principal("student"), question)

        async with database.read() as session:
            rows = await session.execute(
                text(
                    "SELECT generic_plans, custom_plans FROM pg_prepared_statements"
                    " WHERE statement LIKE 'WITH%plainto_tsquery%'"
                )
            )
            assert [tuple(row) for row in rows] == [(3, 0)]


class Mute:
    """A database's own index that nobody may ask, so that the other one has to know."""

    async def search(self, *_: object) -> Found:
        raise AssertionError("the database's own index was asked")

    async def nearest(self, *_: object) -> list[Hit]:
        raise AssertionError("the database's own index was asked")


@pytest.mark.filterwarnings("ignore:Payload indexes have no effect")
class TestQdrantIndex(IndexContract):
    """The client's own stand-in for a server of Qdrant, beside SQLite."""

    @pytest.fixture
    def dialect(self) -> str:
        return "sqlite"

    @pytest.fixture(autouse=True)
    async def _beside(self, database: Database) -> AsyncIterator[None]:
        self.index = self.beside = elsewhere(database, Mute(), ":memory:", None, "famulus")
        self.models = 0
        await self.beside.fill()
        yield
        await self.beside.close()

    async def caught_up(self, database: Database) -> None:
        async with database.read() as session:
            models = len(await vectors.models(session))
        await self.beside.handle({"whole": models != self.models})
        self.models = models


def draft(name: str, content: str) -> Draft:
    """A Markdown document."""
    data = content.encode("utf-8", errors="replace")
    return Draft(f"{name}.md", parse(data, f"{name}.md"), digest(data), len(data))


async def store(database: Database, owner: Owner, source: str = "notes", **contents: str) -> str:
    """Documents by name in one source of the owner's; its id."""
    async with database.write() as session:
        source_id = await begin(session, Place(owner, "folder", source, source))
        await put(session, source_id, owner, [draft(name, content) for name, content in contents.items()])
        await finish(session, source_id)
    return source_id


LENGTH = 26


def meaning(content: str) -> list[float]:
    """A vector of length 1 that says which letters there are: what shares them is near."""
    counts = [1.0 * (chr(ord("a") + n) in content) + 0.01 for n in range(LENGTH)]
    whole = math.sqrt(sum(count * count for count in counts))
    return [count / whole for count in counts]


async def embed(database: Database) -> int:
    """Give every chunk that lacks it a vector by the letters of its last line; how many lacked it."""
    async with database.write() as session:
        model = await vectors.model_named(session, "letters", LENGTH)
        waiting = await vectors.lacking(session, model, 0, 100)
        numbers = array("f", [number for one in waiting for number in meaning(one.text.split("\n")[-1])])
        found = packed(Vectors(LENGTH, numbers.tobytes()), database.dialect)
        rows = [
            vectors.Row(model, one.id, one.hash, vector) for one, vector in zip(waiting, found, strict=True)
        ]
        await vectors.write(session, rows)
    return len(waiting)
