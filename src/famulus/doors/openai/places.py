"""The names of models at these doors, and `/v1/models`.

famulus          who answers here: the assistant that the registry resolves
ast_…            this assistant
crs_…            who answers in this course, with its material
ast_…@crs_…      this assistant in this course
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Response
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.assistants.errors import AssistantNotFound
from famulus.assistants.registry import Filters, get_assistant, list_assistants
from famulus.campus.courses import course_card, my_courses
from famulus.doors.answers import json_answer
from famulus.identity.deps import CurrentPrincipal, ReadSession
from famulus.identity.principal import Principal
from famulus.kernel.errors import NotFound
from famulus.kernel.paging import MAX_LIMIT, Paging

router = APIRouter(prefix="/v1", include_in_schema=False)
WHOEVER = "famulus"
MOST = 1_000
"""Models of each kind in the list, which has no pages."""


class UnknownModel(NotFound):
    """There is no such model; ask for one of `GET /v1/models`."""

    code = "unknown_model"


@dataclass(frozen=True, slots=True)
class Place:
    """Who is asked, and where."""

    assistant_id: str | None = None
    course_id: str | None = None


def place_of(model: str) -> Place:
    """What a model's name means; raises UnknownModel."""
    if model == WHOEVER:
        return Place()
    first, at, second = model.partition("@")
    if not at and first.startswith("crs_"):
        return Place(course_id=first)
    if not first.startswith("ast_") or (at and not second.startswith("crs_")):
        raise UnknownModel(f"There is no model “{model[:100]}”; ask for one of GET /v1/models.")
    return Place(first, second or None)


async def with_course(session: AsyncSession, principal: Principal, place: Place) -> Place:
    """The place with the course that an assistant of a course belongs to."""
    if place.assistant_id is None or place.course_id is not None:
        return place
    card = await get_assistant(session, principal, place.assistant_id)
    return Place(place.assistant_id, card.assistant.course_id)


@router.get("/models")
async def list_models(principal: CurrentPrincipal, session: ReadSession) -> Response:
    """Who can be asked: whoever answers here, the assistants that the person sees, and the person's courses."""
    found = [_model(WHOEVER, "Famulus")]
    after: str | None = None
    while len(found) < MOST:
        page = await list_assistants(session, principal, Filters(active=True), Paging(MAX_LIMIT, after))
        found += [
            _model(card.assistant.id, card.assistant.name, card.assistant.created_at) for card in page.items
        ]
        after = page.next
        if after is None:
            break
    found += [_model(card.id, card.title) for card in (await my_courses(session, principal))[:MOST]]
    return json_answer({"object": "list", "data": found})


@router.get("/models/{model}")
async def get_model(
    model: Annotated[str, Path(max_length=200)], principal: CurrentPrincipal, session: ReadSession
) -> Response:
    """One of them."""
    place, name, made = place_of(model), "Famulus", None
    try:
        if place.course_id is not None:
            name = (await course_card(session, principal, place.course_id)).title
        if place.assistant_id is not None:
            assistant = (await get_assistant(session, principal, place.assistant_id)).assistant
            if not assistant.active:
                raise AssistantNotFound()
            name, made = assistant.name, assistant.created_at
    except NotFound as error:
        raise UnknownModel() from error
    return json_answer(_model(model, name, made))


def _model(id: str, name: str, made: datetime | None = None) -> dict[str, object]:
    created = int(made.timestamp()) if made else 0
    return {"id": id, "object": "model", "created": created, "owned_by": "famulus", "name": name}
