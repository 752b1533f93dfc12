"""The native REST API: every room's routes under one roof, errors rendered alike."""

from fastapi import FastAPI

from famulus.assistants.routes import router as assistants
from famulus.campus.routes.accounts import router as accounts
from famulus.campus.routes.auditing import router as auditing
from famulus.campus.routes.courses import router as courses
from famulus.campus.routes.invitations import router as invitations
from famulus.campus.routes.keys import router as organization_keys
from famulus.campus.routes.organizations import router as organizations
from famulus.campus.routes.outside import router as outside
from famulus.campus.routes.people import router as people
from famulus.campus.routes.places import router as places
from famulus.campus.routes.quizzes import router as quizzes
from famulus.campus.routes.rosters import router as rosters
from famulus.campus.routes.tasks import router as tasks
from famulus.conversations.routes import router as conversations
from famulus.doors import problems
from famulus.doors.approvals import router as approvals
from famulus.doors.attachments import router as attachments
from famulus.doors.own_data import router as own_data
from famulus.doors.runs import router as runs
from famulus.doors.sources import router as sources
from famulus.identity.routes.account import router as account
from famulus.identity.routes.keys import router as keys
from famulus.identity.routes.sessions import router as sessions
from famulus.identity.routes.sign_in import router as sign_in
from famulus.insights.routes import router as insights
from famulus.knowledge.routes import router as knowledge
from famulus.tools.routes.connections import router as connections
from famulus.tools.routes.rules import router as tool_rules

CAMPUS = (
    courses, organizations, people, places, tasks, quizzes, invitations, rosters, accounts, auditing, organization_keys,
    outside,
)  # fmt: skip
IDENTITY = (sign_in, account, sessions, keys)


def mount_turns(app: FastAPI) -> None:
    """Put the routes of threads and their runs into the application.

    Routes are tried in the order in which they were put there: what is asked for most comes first.
    """
    for router in (runs, conversations):
        app.include_router(router)


def mount(app: FastAPI) -> None:
    """Put every other route of the native door into the application."""
    for router in (
        approvals,
        attachments,
        knowledge,
        sources,
        *CAMPUS,
        assistants,
        tool_rules,
        connections,
        *IDENTITY,
        own_data,
        insights,
    ):
        app.include_router(router)
    problems.install(app)
