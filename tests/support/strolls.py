"""Random people asking random things of random places, while rights, material and publication change around them.

What each may read is kept here a second time, in plain Python, and every passage, step of a path, neighbour and citation is
held against it. What may be read must also be found, by the word that it alone has: a search that finds nothing fails, too.
"""

import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from sqlalchemy import delete, insert, select, update

from famulus.campus.models import Course, Enrolment, Organization
from famulus.identity.models import User
from famulus.identity.principal import Principal, Role
from famulus.kernel.database import Database
from famulus.kernel.errors import NotFound
from famulus.kernel.paging import Paging
from famulus.kernel.tables import utc_now
from famulus.knowledge.meaning import Meaning
from famulus.knowledge.models import Chunk, Document
from famulus.knowledge.neighbours import neighbours
from famulus.knowledge.parse import digest, parse
from famulus.knowledge.retrieve import EVERY_WAY, Retriever, Way, open_passage
from famulus.knowledge.store import Draft, Owner, Place, begin, finish, known_documents, publish, put, remove
from famulus.llm.embedding.choose import Embedders, Places
from tests.support.embedding_server import EmbeddingServer

ORGANIZATIONS, COURSES, PEOPLE, DOCUMENTS = 3, 9, 12, 60
NAMES = ("Ada Lowe", "Port Ellery", "Greenhouse Pump", "Tidal Bridge", "Mira Voss", "Old Quarry")
"""Shared by all tenants, so that the graph is tempted to cross from one to another."""
WORDS = ("robot", "wheel", "gyroscope", "lamp", "axle", "sensor", "motor", "cable")
WAYS: tuple[frozenset[Way], ...] = (
    EVERY_WAY, frozenset({"words"}), frozenset({"meaning"}), frozenset({"words", "graph"}),
)  # fmt: skip
CHANGE_EVERY = 8
"""Questions between two changes."""


@dataclass
class Class:
    """A course as it is now."""

    id: str
    organization: str
    published: bool = True
    archived: bool = False


@dataclass(frozen=True)
class Paper:
    """A document as it is now, of one passage."""

    name: str
    owner: Owner
    word: str
    """Which no other passage has."""
    published: bool = True


@dataclass
class Person:
    """Who asks; with one membership or none."""

    id: str
    role: Role | None
    organization: str | None
    enrolled: dict[str, str] = field(default_factory=dict[str, str])
    """By course, as what."""

    @property
    def principal(self) -> Principal:
        return Principal(
            self.id, self.id, f"{self.id}@x.org", self.role, self.organization, email_verified=True
        )


@dataclass
class Tally:
    """What a stroll has come to."""

    questions: int = 0
    passages: int = 0
    steps: int = 0
    """Of paths that the graph has led."""
    neighbours: int = 0
    opened: int = 0
    changes: int = 0
    wrong: list[str] = field(default_factory=list[str])
    """What was seen that may not be, and what was not found that should be."""


class Campus:
    """Everything that is there, and what is known of it here."""

    def __init__(self, database: Database, retriever: Retriever, meaning: Meaning, seed: int) -> None:
        self._database, self._retriever, self._meaning = database, retriever, meaning
        self._chance = random.Random(seed)
        self._courses: dict[str, Class] = {}
        self._people: list[Person] = []
        self._papers: dict[str, Paper] = {}
        self._made = 0
        self._rights = 0
        self.tally = Tally()

    async def build(self) -> None:
        """Organizations, courses, people and material."""
        stamps = {"created_at": utc_now(), "updated_at": utc_now()}
        organizations = [f"org_{n}" for n in range(ORGANIZATIONS)]
        for n in range(COURSES):
            each = Class(f"crs_{n}", organizations[n % ORGANIZATIONS])
            self._courses[each.id] = each
        roles: tuple[Role | None, ...] = (
            "student",
            "teacher",
            "student",
            "organization_admin",
            None,
            "site_admin",
        )
        for n in range(PEOPLE):
            role = roles[n % len(roles)]
            homeless = role is None or (role == "site_admin" and n > len(roles))
            self._people.append(
                Person(f"usr_{n}", role, None if homeless else organizations[n % ORGANIZATIONS])
            )
        async with self._database.write() as session:
            for id in organizations:
                session.add(Organization(id=id, name=id, **stamps))
            for person in self._people:
                session.add(User(id=person.id, email=f"{person.id}@x.org", name=person.id, **stamps))
            await session.flush()
            for each in self._courses.values():
                row = {
                    "id": each.id,
                    "organization_id": each.organization,
                    "title": each.id,
                    "published": True,
                }
                session.add(Course(**row, **stamps))
        for person in self._people:
            for _ in range(3):
                await self._enrol(person)
        for _ in range(DOCUMENTS):
            await self._write()

    async def stroll(self, questions: int) -> Tally:
        """Ask so many, with a change now and then."""
        for n in range(questions):
            if n % CHANGE_EVERY == 0:
                await self._change()
            await self._pick((self._ask, 6), (self._look_around, 1), (self._open, 2))()
            self.tally.questions += 1
        return self.tally

    # What may be read, said a second time.

    def _reads(self, person: Person, paper: Paper) -> bool:
        if paper.owner.course_id is None:
            if paper.owner.organization_id in (None, person.organization):
                return True
            return person.organization is None and any(
                each.organization == paper.owner.organization_id and self._meets(person, each)
                for each in self._courses.values()
            )
        course = self._courses[paper.owner.course_id]
        return self._meets(person, course) and (paper.published or self._changes(person, course))

    def _meets(self, person: Person, course: Class) -> bool:
        here = person.organization == course.organization
        learns = here and course.id in person.enrolled and course.published and not course.archived
        return self._changes(person, course) or learns

    def _changes(self, person: Person, course: Class) -> bool:
        if person.role == "site_admin":
            return True
        here = person.organization == course.organization
        teaches = person.role == "teacher" and person.enrolled.get(course.id) == "teacher"
        return here and (person.role == "organization_admin" or teaches)

    # Asking.

    def _pick(self, *choices: tuple[Callable[[], Awaitable[None]], int]) -> Callable[[], Awaitable[None]]:
        return self._chance.choices([do for do, _ in choices], [weight for _, weight in choices])[0]

    async def _ask(self) -> None:
        person, paper = self._chance.choice(self._people), self._chance.choice([*self._papers.values()])
        ways = self._chance.choice(WAYS)
        said = [self._chance.choice(WORDS), self._chance.choice(NAMES), paper.word]
        question = f"How does the {said[0]} of {said[1]} go with {said[2]}?"
        course = self._chance.choice([*self._courses.values()]) if self._chance.random() < 0.3 else None
        try:
            answer = await self._retriever.search(
                person.principal, question, course_id=course and course.id, limit=20, ways=ways
            )
        except NotFound:
            self._note(course is None or self._meets(person, course), f"{person} was not let into {course}")
            return
        self._note(course is not None and not self._meets(person, course), f"{person} searched {course}")
        found = {passage.title for passage in answer.passages}
        self.tally.passages += len(found)
        self._check(person, found, question)
        for passage in answer.passages:
            self.tally.steps += len(passage.path)
            self._check(person, (step.title for step in passage.path), f"the path to {passage.title}")
        reached = course is None or paper.owner.course_id == course.id
        # With other ways something else may rightly come first.
        if reached and ways == {"words"} and self._in_scope(person, paper):
            self._note(paper.name not in found, f"{person} did not find {paper} by {ways}")

    def _in_scope(self, person: Person, paper: Paper) -> bool:
        """What a search of everything reaches; somebody at home nowhere opens general material, but does not search it."""
        owner = paper.owner
        foreign = owner.course_id is None and owner.organization_id not in (None, person.organization)
        return self._reads(person, paper) and not foreign

    async def _look_around(self) -> None:
        person, name = self._chance.choice(self._people), self._chance.choice(NAMES)
        async with self._database.read() as session:
            found = await neighbours(session, person.principal, name, None, Paging(limit=50))
        self.tally.neighbours += len(found.items)
        self._check(person, (each.document.title for each in found.items), f"the neighbours of {name}")

    async def _open(self) -> None:
        person = self._chance.choice(self._people)
        async with self._database.read() as session:
            ids = (await session.execute(select(Chunk.id, Chunk.title))).all()
            id, title = self._chance.choice(ids)
            readable = self._reads(person, self._papers[title])
            try:
                await open_passage(session, person.principal, id)
                self.tally.opened += 1
                self._note(not readable, f"{person} opened {title}")
            except NotFound:
                self._note(readable, f"{person} could not open {title}")

    def _check(self, person: Person, titles: Iterator[str] | set[str], where: str) -> None:
        for title in titles:
            paper = self._papers.get(title)
            self._note(
                paper is None or not self._reads(person, paper), f"{person} saw {paper or title}: {where}"
            )

    def _note(self, wrong: bool, what: str) -> None:
        if wrong:
            self.tally.wrong.append(what)

    # Changing.

    async def _change(self) -> None:
        self.tally.changes += 1
        await self._pick(
            (self._write, 4),
            (self._publish, 4),
            (self._remove, 3),
            (self._rights_of_somebody, 3),
            (self._course, 3),
        )()

    async def _write(self) -> None:
        """A new document, with a vector or still without one."""
        organization = f"org_{self._chance.randrange(ORGANIZATIONS)}"
        course = self._chance.choice(
            [each for each in self._courses.values() if each.organization == organization]
        )
        owner = self._chance.choice(
            (Owner(organization, course.id),) * 5 + (Owner(organization), Owner(None))
        )
        self._made += 1
        # About a name that others are about, too: what stands in brackets is no part of it.
        name, word = f"{self._chance.choice(NAMES)} ({self._made})", f"zq{self._made}x"
        text = (
            f"# {name}\n\nIt has a {self._chance.choice(WORDS)}, says {self._chance.choice(NAMES)}."
            f"\n\nIt is called {word}."
        )
        draft = Draft(
            f"{self._made}.md", parse(text.encode(), f"{self._made}.md"), digest(text.encode()), len(text)
        )
        async with self._database.write() as session:
            source = await begin(session, Place(owner, "folder", "notes", "notes"))
            await put(session, source, owner, [draft])
            await finish(session, source)
        self._papers[name] = Paper(name, owner, word)
        if self._chance.random() < 0.7:
            await self._meaning.handle({})

    async def _publish(self) -> None:
        papers = [each for each in self._papers.values() if each.owner.course_id is not None]
        paper = self._chance.choice(papers)
        async with self._database.write() as session:
            row = (await session.execute(select(Document).where(Document.title == paper.name))).scalar_one()
            known = {each.id: each for each in await known_documents(session, row.source_id)}
            await publish(session, paper.owner, known[row.id], not paper.published)
        self._papers[paper.name] = replace(paper, published=not paper.published)

    async def _remove(self) -> None:
        if len(self._papers) < DOCUMENTS // 2:
            return
        name = self._chance.choice([*self._papers])
        async with self._database.write() as session:
            await remove(
                session, list(await session.scalars(select(Document.id).where(Document.title == name)))
            )
        del self._papers[name]

    async def _rights_of_somebody(self) -> None:
        person = self._chance.choice(self._people)
        if person.role in ("student", "teacher", "organization_admin") and self._chance.random() < 0.5:
            person.role = self._chance.choice(("student", "teacher", "organization_admin"))
            person.organization = f"org_{self._chance.randrange(ORGANIZATIONS)}"
        elif person.enrolled and self._chance.random() < 0.5:
            course = self._chance.choice([*person.enrolled])
            async with self._database.write() as session:
                mine = (Enrolment.course_id == course, Enrolment.user_id == person.id)
                await session.execute(delete(Enrolment).where(*mine))
            del person.enrolled[course]
        else:
            await self._enrol(person)

    async def _enrol(self, person: Person) -> None:
        course, role = self._chance.choice([*self._courses]), self._chance.choice(("student", "teacher"))
        if course not in person.enrolled:
            row = {"course_id": course, "user_id": person.id, "role": role, "created_at": utc_now()}
            async with self._database.write() as session:
                await session.execute(insert(Enrolment), [row])
            person.enrolled[course] = role

    async def _course(self) -> None:
        course = self._chance.choice([*self._courses.values()])
        if self._chance.random() < 0.5:
            course.published = not course.published
        else:
            course.archived = not course.archived
        values = {"published": course.published, "archived_at": utc_now() if course.archived else None}
        async with self._database.write() as session:
            await session.execute(update(Course).where(Course.id == course.id).values(values))


@asynccontextmanager
async def campus(database: Database, folder: Path, seed: int) -> AsyncIterator[Campus]:
    """A campus in an empty, migrated database, with a model of embeddings and one retriever for everybody."""
    async with EmbeddingServer() as server:
        embedders = Embedders("compatible:letters", Places(folder, server.base_url))
        meaning = Meaning(database, embedders)
        await meaning.start()
        made = Campus(database, Retriever(database, meaning), meaning, seed)
        await made.build()
        try:
            yield made
        finally:
            await embedders.close()
