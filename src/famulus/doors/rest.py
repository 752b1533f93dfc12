"""The native REST API: every room's routes under one roof, errors rendered alike."""

from fastapi import FastAPI

from famulus.assistants.routes import router as assistants
from famulus.campus.routes.accounts import router as accounts
from famulus.campus.routes.courses import router as courses
from famulus.campus.routes.organizations import router as organizations
from famulus.campus.routes.people import router as people
from famulus.conversations.routes import router as conversations
from famulus.doors import problems
from famulus.doors.runs import router as runs
from famulus.identity.routes.account import router as account
from famulus.identity.routes.sessions import router as sessions
from famulus.identity.routes.sign_in import router as sign_in
from famulus.knowledge.routes import router as knowledge

CAMPUS = (courses, organizations, people, accounts)
IDENTITY = (sign_in, account, sessions)


def mount(app: FastAPI) -> None:
    """Put every route of the native door into the application."""
    # Routes are tried in this order, so what is asked for most comes first.
    for router in (runs, conversations, knowledge, *CAMPUS, assistants, *IDENTITY):
        app.include_router(router)
    problems.install(app)
