"""`famulus search`: what an assistant would be given for a question, and why each passage was found."""

from collections.abc import Sequence
from dataclasses import dataclass

from famulus.app import open_embedders
from famulus.campus.lookup import course_by_name, principal_by_email
from famulus.cli.work import with_database
from famulus.kernel.database import Database
from famulus.kernel.settings import load_settings
from famulus.knowledge.index import Kind
from famulus.knowledge.meaning import Meaning
from famulus.knowledge.retrieve import Answer, Passage, Retriever, fits

SAID = {
    "ready": "by words and by meaning",
    "partial": "by words and, as far as vectors are ready, by meaning",
    "pending": "by words; vectors are not ready yet",
    "off": "by words alone; there is no embedding model",
    "unavailable": "by words alone; the embedding model did not answer",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """How many passages, from which sources and of which kinds of material; from all where none are named."""

    limit: int
    sources: Sequence[str]
    kinds: Sequence[Kind]


def run_search(question: str, course: str | None, email: str | None, wanted: Wanted) -> None:
    """Search and print."""

    async def work(database: Database) -> Answer:
        async with database.read() as session:
            principal = await principal_by_email(session, email)
            card = await course_by_name(session, principal, course) if course else None
        meaning = Meaning(database, open_embedders(load_settings()), patience=PATIENCE)
        try:
            retriever = Retriever(database, meaning)
            course_id = card.id if card else None
            return await retriever.search(
                principal,
                question,
                course_id=course_id,
                limit=wanted.limit,
                sources=wanted.sources,
                kinds=wanted.kinds,
            )
        finally:
            await meaning.embedders.close()

    answer = with_database(work)
    print(f"Searched {SAID[answer.meaning]}.")
    if answer.reading:
        sources = "1 source is" if answer.reading == 1 else f"{answer.reading} sources are"
        print(f"{sources} still being read; ask again for what is in there.")
    if answer.other_language:
        print("The question is in another language than the material: ask in that one to find more.")
    for number, passage in enumerate(answer.passages, 1):
        _show(number, passage)
    if not any(fits(passage) for passage in answer.passages):
        print("\nNothing here is worth answering from.")


PATIENCE = 120.0
"""Seconds; the model is loaded for this one question, and perhaps made."""


def _show(number: int, passage: Passage) -> None:
    near = "" if passage.nearness is None else f", meaning {passage.nearness:.2f}"
    words = f"words {passage.coverage:.2f} ({', '.join(passage.words) or 'none'})"
    place = " › ".join(dict.fromkeys((passage.title, *passage.heading_path)))
    print(f"\n{number}. {place}\n   score {passage.score:.2f}: {words}{near}")
    print(f"   {' '.join(passage.quote.split())}")
