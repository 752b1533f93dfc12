"""`famulus golden`: questions that a course's material has to answer, brought in and asked."""

import time
from pathlib import Path

from famulus.app import open_embedders
from famulus.campus.lookup import course_by_name, principal_by_email
from famulus.cli.work import with_database
from famulus.identity.principal import Principal
from famulus.kernel.database import Database
from famulus.kernel.errors import ConfigurationError
from famulus.kernel.paging import MAX_LIMIT, Paging
from famulus.kernel.settings import load_settings
from famulus.knowledge.golden import add_questions, list_questions, report
from famulus.knowledge.golden_check import GoldenKeeper
from famulus.knowledge.golden_schemas import MOST_BYTES, GoldenQuestionOut, Report, read_questions
from famulus.knowledge.meaning import Meaning
from famulus.knowledge.retrieve import Retriever

PATIENCE = 120.0
"""Seconds that a question waits for its vector: the first one for the model, too."""


def run_import(path: Path, course: str, email: str | None) -> str:
    """Add the questions of a file to a course; returns what was done. Raises Invalid naming the bad lines."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}.") from error
    if len(data) > MOST_BYTES:
        raise ConfigurationError(f"{path} has more than {MOST_BYTES:,} bytes.")
    questions = read_questions(data, path.name)

    async def work(database: Database) -> int:
        principal, course_id = await _where(database, course, email)
        async with database.write() as session:
            return len(await add_questions(session, principal, course_id, questions))

    added = with_database(work)
    return f"{added} added, {len(questions) - added} there already."


def run_check(course: str, email: str | None) -> bool:
    """Ask a course's questions now and print what got worse; False when something did."""

    async def work(database: Database) -> tuple[Report, list[GoldenQuestionOut]]:
        principal, course_id = await _where(database, course, email)
        meaning = Meaning(database, open_embedders(load_settings()), patience=PATIENCE)
        try:
            keeper = GoldenKeeper(database, Retriever(database, meaning))
            await keeper.handle({"course_id": course_id, "until": int(time.time())})
        finally:
            await meaning.embedders.close()
        async with database.read() as session:
            worse = await list_questions(session, principal, course_id, Paging(MAX_LIMIT), worse=True)
            rows = [GoldenQuestionOut.of(one) for one in worse.items]
            return await report(session, principal, course_id), rows

    found, worse = with_database(work)
    print(f"{found.found} of {found.questions} answers were found; {found.worse} got worse.")
    for one in worse:
        print(
            f"  {one.question}\n    place {one.place or 'none'}, was {one.best}, expected in {one.document}"
        )
    return not found.worse


async def _where(database: Database, course: str, email: str | None) -> tuple[Principal, str]:
    async with database.read() as session:
        principal = await principal_by_email(session, email)
        return principal, (await course_by_name(session, principal, course)).id
