"""People in and out as CSV over HTTP."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from starlette.datastructures import UploadFile
from starlette.responses import StreamingResponse

from famulus.campus import rosters
from famulus.campus.roster import MOST_BYTES, Unreadable
from famulus.campus.rosters import Wishes
from famulus.campus.schemas.people import Mode
from famulus.campus.schemas.rosters import ImportReport
from famulus.identity.deps import CurrentPrincipal, DatabaseDep, IdPath
from famulus.kernel.errors import FieldProblem

router = APIRouter(tags=["organizations"])
CSV = "text/csv"
_ONE_FILE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            }
        },
    }
}
_A_FILE: dict[int | str, dict[str, Any]] = {
    200: {"description": "The members, by name.", "content": {CSV: {"schema": {"type": "string"}}}}
}


@router.post("/api/v1/organizations/{organization_id}/import", openapi_extra=_ONE_FILE)
async def import_people(
    organization_id: IdPath,
    *,
    request: Request,
    principal: CurrentPrincipal,
    database: DatabaseDep,
    mode: Annotated[
        Mode, Query(description="`all` keeps nothing unless every line is fine; `valid` keeps what is.")
    ] = "all",
    dry_run: Annotated[bool, Query(description="Only say what would be done.")] = False,
    update: Annotated[bool, Query(description="Change the roles of people who are here already.")] = False,
) -> ImportReport:
    """Bring people in from a CSV file of at most 10,000 lines: accounts, memberships, enrolments; for admins."""
    async with request.form(max_files=1, max_fields=8) as form:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise Unreadable(fields=(FieldProblem("file", "Send a CSV file under this name."),))
        data = await file.read(MOST_BYTES + 1)
    wishes = Wishes(mode, dry_run, update)
    return await rosters.import_people(database, principal, organization_id, data, wishes)


@router.get("/api/v1/organizations/{organization_id}/members.csv", response_class=Response, responses=_A_FILE)
async def export_people(
    organization_id: IdPath, principal: CurrentPrincipal, database: DatabaseDep
) -> Response:
    """The members of an organization as CSV, which can be imported again; for its admins."""
    rows = await rosters.export_people(database, principal, organization_id)
    headers = {"Content-Disposition": 'attachment; filename="members.csv"', "Cache-Control": "no-store"}
    return StreamingResponse(rows, media_type=f"{CSV}; charset=utf-8", headers=headers)
