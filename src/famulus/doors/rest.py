"""The native REST API: every room's routes under one roof, errors rendered alike."""

from fastapi import FastAPI

from famulus.assistants.routes import router as assistants
from famulus.campus.routes import router as campus
from famulus.conversations.routes import router as conversations
from famulus.doors import problems
from famulus.doors.runs import router as runs
from famulus.identity.routes import router as identity
from famulus.knowledge.routes import router as knowledge


def mount(app: FastAPI) -> None:
    """Put every route of the native door into the application."""
    # Routes are tried in this order, so what is asked for most comes first.
    for router in (runs, conversations, knowledge, campus, assistants, identity):
        app.include_router(router)
    problems.install(app)
