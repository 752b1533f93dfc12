"""What an operator's machinery asks: is the process alive, can it serve, what is it."""

from functools import partial
from typing import Literal, cast

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from famulus.identity.deps import PUBLIC, DatabaseDep, SettingsDep
from famulus.knowledge.meaning import Meaning
from famulus.knowledge.retrieve import Retriever
from famulus.llm.opened import Models
from famulus.ops.checks import (
    State,
    check_all,
    check_connections,
    check_data_dir,
    check_database,
    check_embedding,
    check_index,
    check_mail,
    check_model,
    check_providers,
)

router = APIRouter(tags=["operations"])


class Health(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"


class PartOut(BaseModel):
    """One part of the server."""

    name: str
    state: State
    detail: str


class Readiness(BaseModel):
    """Whether requests can be served, part by part."""

    status: State
    parts: list[PartOut]


class ModelOut(BaseModel):
    """Which model answers by default."""

    kind: str
    name: str


class About(BaseModel):
    """What this server is, for its own pages."""

    name: str
    version: str
    model: ModelOut
    environment: str
    demo: bool
    """Whether the demo sign-ins may be there."""
    sign_up: bool


@router.get("/healthz", openapi_extra=PUBLIC)
async def healthz() -> Health:
    """Whether the process answers; asks nothing else."""
    return Health()


@router.get(
    "/readyz",
    responses={503: {"model": Readiness, "description": "A part that is needed is down."}},
    openapi_extra=PUBLIC,
)
async def readyz(
    request: Request, response: Response, database: DatabaseDep, settings: SettingsDep
) -> Readiness:
    """The state of every part; 503 while one that is needed is down."""
    models = cast(Models, request.app.state.models)
    status, parts = await check_all(
        partial(check_database, database),
        partial(check_model, models),
        partial(check_providers, models),
        partial(check_embedding, cast(Meaning, request.app.state.meaning)),
        partial(check_index, cast(Retriever, request.app.state.retriever).index),
        partial(check_data_dir, settings),
        partial(check_mail, database, settings),
        partial(check_connections, database),
    )
    if status == "down":
        response.status_code = 503
    named = [PartOut(name=part.name, state=part.state, detail=part.detail) for part in parts]
    return Readiness(status=status, parts=named)


@router.get("/api/v1/about", openapi_extra=PUBLIC)
async def about(request: Request, settings: SettingsDep) -> About:
    """What this server is."""
    model = cast(Models, request.app.state.models).get()
    shown = model.name if settings.local else ""
    return About(
        name="Famulus",
        version=request.app.version,
        model=ModelOut(kind=model.kind, name=shown),
        environment=settings.environment,
        demo=settings.local,
        sign_up=settings.sign_up_open,
    )
