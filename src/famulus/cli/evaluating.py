"""`famulus eval`: how well this release finds things, measured on a set of questions by the way that every door takes.

a set ─▶ a course in a new database ─▶ every question, as a search ─▶ its documents in order ─▶ measures
"""

import asyncio
import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from famulus.app import open_embedders
from famulus.campus.courses import course_card
from famulus.campus.seeding import PlannedCourse, PlannedOrganization, seed_organization
from famulus.identity.principal import Principal
from famulus.kernel.database import Database
from famulus.kernel.jobs import Later
from famulus.kernel.logs import spare_stdout
from famulus.kernel.migrate import upgrade
from famulus.kernel.settings import load_settings
from famulus.knowledge.blocks import Unparsable, Unreadable, one_line
from famulus.knowledge.evaluation import QuestionSet, Text, measures, quantile, read_set
from famulus.knowledge.meaning import Meaning
from famulus.knowledge.parse import cut_up
from famulus.knowledge.parse_text import parse_text
from famulus.knowledge.retrieve import Retriever, Way
from famulus.knowledge.store import Draft, Owner, Place, begin, finish, known_documents, put
from famulus.llm.embedding.kept import Kept

KEPT = "evaluation-vectors.sqlite3"
"""In the data folder: passages of sets, embedded once."""
PASSAGES = 30
"""Asked for each question: no document gives more than three, so that ten of them are among these."""
BATCH = 100
PATIENCE = 120.0
"""Seconds that a question waits for its vector: the first one for the model, too."""
WORDS_ALONE: dict[str, frozenset[Way]] = {
    "words": frozenset(("words",)),
    "words+graph": frozenset(("words", "graph")),
}
WAYS: dict[str, frozenset[Way]] = {
    "words": frozenset(("words",)),
    "dense": frozenset(("meaning",)),
    "fused": frozenset(("words", "meaning")),
    "fused+graph": frozenset(("words", "meaning", "graph")),
}
ASKER = Principal(
    user_id="usr_evaluation", name="Evaluation", email="evaluation@famulus.local", role="site_admin"
)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a set was put."""

    database: Database
    course_id: str
    names: dict[str, str]
    """The set's id of each document, by ours."""


def run_retrieval(folder: Path, *, as_json: bool) -> None:
    """Measure on the set in `folder` and print; raises ConfigurationError where it is none."""
    wanted = read_set(folder)
    found = asyncio.run(_measure(wanted))
    print(json.dumps(found, indent=2) if as_json else _table(found))


async def _measure(wanted: QuestionSet) -> dict[str, dict[str, float]]:
    spare_stdout()
    settings = load_settings()
    with tempfile.TemporaryDirectory(prefix="famulus-eval-") as data:
        database = Database(f"sqlite+aiosqlite:///{data}/eval.sqlite3")
        embedders = open_embedders(settings)
        if embedders.chosen is not None:
            embedders.chosen = Kept(embedders.chosen, settings.data_dir / KEPT)
        meaning = Meaning(database, embedders, patience=PATIENCE)
        try:
            await upgrade(database)
            place = await _take_in(database, wanted.documents)
            await _embed(meaning)
            retriever = Retriever(database, meaning)
            ways = WAYS if meaning.possible else WORDS_ALONE
            return {name: await _ask_all(retriever, place, wanted, those) for name, those in ways.items()}
        finally:
            await embedders.close()
            await database.close()


async def _embed(meaning: Meaning) -> None:
    """Every passage. On a server the job gives way to others now and then; here there are none."""
    while True:
        try:
            return await meaning.handle({})
        except Later:
            continue


async def _take_in(database: Database, documents: Sequence[Text]) -> _Place:
    """The documents as those of a course of their own."""
    course = PlannedCourse("Evaluation", "", ())
    async with database.write() as session:
        planted = await seed_organization(
            session, PlannedOrganization("Evaluation", (), (course,)), password_hash=""
        )
        assert planted is not None, "the database is new"
        card = await course_card(session, ASKER, planted[0])
        owner = Owner(card.organization_id, card.id)
        source_id = await begin(session, Place(owner, "folder", "Evaluation", "evaluation"))
    for at in range(0, len(documents), BATCH):
        drafts = [_draft(document) for document in documents[at : at + BATCH]]
        async with database.write() as session:
            await put(session, source_id, owner, drafts)
    async with database.write() as session:
        await finish(session, source_id)
        names = {row.id: row.path for row in await known_documents(session, source_id)}
    return _Place(database, card.id, names)


def _draft(document: Text) -> Draft:
    text = document.text if document.text.strip() else document.title
    data = text.encode("utf-8", errors="replace")
    try:
        outcome = cut_up(one_line(document.title), "text", data, parse_text(text), document.id)
    except Unparsable as error:
        return Draft(document.id, Unreadable(str(error)), "", len(data))
    return Draft(document.id, outcome, outcome.content_hash, len(data))


async def _ask_all(
    retriever: Retriever, place: _Place, wanted: QuestionSet, ways: frozenset[Way]
) -> dict[str, float]:
    """The measures of one way to search, with how long a question took."""
    rankings: dict[str, list[str]] = {}
    took: list[float] = []
    for question in wanted.questions:
        started = time.perf_counter()
        answer = await retriever.search(
            ASKER, question.text, course_id=place.course_id, limit=PASSAGES, ways=ways
        )
        took.append((time.perf_counter() - started) * 1000)
        rankings[question.id] = list(dict.fromkeys(place.names[one.document_id] for one in answer.passages))
    found = measures(rankings, wanted.answers)
    return found | {f"ms/query p{n}": round(quantile(took, n / 100), 2) for n in (50, 95)}


def _table(found: dict[str, dict[str, float]]) -> str:
    """The ways side by side."""
    ways = list(found)
    lines = [[f"{'':16}", *(f"{way:>14}" for way in ways)]]
    lines += [[f"{name:16}", *(f"{found[way][name]:14.2f}" for way in ways)] for name in found[ways[0]]]
    return "\n".join("".join(line) for line in lines)
