"""Puts the door for AG-UI clients into the application."""

from fastapi import APIRouter, FastAPI, Request, Response

from famulus.doors.ag_ui.run_input import read_input
from famulus.doors.ag_ui.turns import Turns
from famulus.doors.bodies import body_of
from famulus.doors.programs import RoomsDep
from famulus.identity.deps import CurrentPrincipal

router = APIRouter(prefix="/ag-ui", include_in_schema=False)


@router.post("")
async def run_agent(request: Request, principal: CurrentPrincipal, rooms: RoomsDep) -> Response:
    """Send a message, or answers to what waits, and follow the run."""
    return await Turns(rooms, principal, request, read_input(await body_of(request))).run()


@router.post("/connect")
async def connect_agent(request: Request, principal: CurrentPrincipal, rooms: RoomsDep) -> Response:
    """What was said in a thread, and what is being said."""
    return await Turns(rooms, principal, request, read_input(await body_of(request))).connect()


def mount(app: FastAPI) -> None:
    """Serve everything below `/ag-ui`."""
    app.include_router(router)
