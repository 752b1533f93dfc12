"""Conversations that people have had, written into the tables as the turn leaves them."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import insert, select

from famulus.assistants.models import Assistant
from famulus.conversations.models import Feedback, Message, Thread
from famulus.identity.directory import Newcomer, new_user_id, open_accounts
from famulus.kernel.ids import moment, new_id
from famulus.runs.models import Run
from tests.support.rooms import World

TODAY = datetime.now(UTC).date()


@dataclass(frozen=True)
class Turn:
    """A question that somebody asked."""

    user_id: str
    day: date
    course_id: str | None
    status: str = "completed"
    cited: int = 1
    rating: str | None = None
    tokens: tuple[int, int] = (10, 3)
    cost: int | None = None
    """Millionths of a dollar."""


async def crowd(world: World, count: int) -> list[str]:
    """So many people with accounts; their ids."""
    newcomers = [Newcomer(new_user_id(), f"c{new_user_id()}@example.org", f"Crowd {n}") for n in range(count)]
    async with world.database.write() as session:
        await open_accounts(session, newcomers)
    return [one.id for one in newcomers]


async def had(world: World, *turns: Turn) -> list[str]:
    """Have these turns been taken, each in a thread of its own; the ids of the runs."""
    rows: dict[type, list[dict[str, object]]] = {Thread: [], Message: [], Run: [], Feedback: []}
    async with world.database.write() as session:
        assistant = (await session.execute(select(Assistant.id).limit(1))).scalar_one_or_none()
        if assistant is None:
            assistant = await _assistant(session)
        for number, turn in enumerate(turns):
            _write(rows, world, turn, assistant, number)
        for kind, values in rows.items():
            if values:
                await session.execute(insert(kind), values)
    return [str(row["id"]) for row in rows[Run]]


async def _assistant(session) -> str:
    from famulus.assistants.registry import ensure_default  # noqa: PLC0415 – only where no server has made it

    await ensure_default(session)
    return (await session.execute(select(Assistant.id).limit(1))).scalar_one()


def _write(
    rows: dict[type, list[dict[str, object]]], world: World, turn: Turn, assistant: str, number: int
) -> None:
    at = datetime(turn.day.year, turn.day.month, turn.day.day, 12, tzinfo=UTC) + timedelta(seconds=number)
    thread, answer = new_id("thr"), new_id("msg")
    run = f"run_{moment(at)}{new_id('x')[-16:]}"
    rows[Thread].append(
        {
            "id": thread, "user_id": turn.user_id, "organization_id": world.ours, "course_id": turn.course_id,
            "assistant_id": assistant, "title": "Secret words", "created_at": at, "updated_at": at,
        }
    )  # fmt: skip
    rows[Message].append(
        {
            "id": answer, "thread_id": thread, "position": 2, "role": "assistant", "status": "complete",
            "parts": "[]", "created_at": at, "run_id": run,
        }
    )  # fmt: skip
    rows[Run].append(
        {
            "id": run, "thread_id": thread, "user_id": turn.user_id, "message_id": new_id("msg"),
            "answer_id": answer, "status": turn.status, "body_hash": "", "asker": "{}", "cited": turn.cited,
            "input_tokens": turn.tokens[0], "output_tokens": turn.tokens[1], "cost": turn.cost, "created_at": at,
        }
    )  # fmt: skip
    if turn.rating is not None:
        rows[Feedback].append(
            {
                "message_id": answer,
                "thread_id": thread,
                "rating": turn.rating,
                "comment": "",
                "created_at": at,
            }
        )
