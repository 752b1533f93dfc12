"""The doors of existing front ends, at the addresses that these ask: one call puts them all into an application."""

from fastapi import FastAPI

from famulus.doors.chats import router as chats
from famulus.doors.registry import router as registry
from famulus.doors.simple_chat import router as simple_chat


def mount(app: FastAPI) -> None:
    """Put their routes into the application."""
    for router in (chats, registry, simple_chat):
        app.include_router(router)
