"""The native door of attachments: send a file, look at it, get it back, delete it.

A file is given back as something to save, never as something to show, whatever it is. Two addresses open by a ticket as
well, for clients that cannot show who they are: the one to send bytes to, and the one of a small picture.
"""

from typing import Annotated, Any, Literal, cast
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Request, Response, status
from pydantic import BaseModel
from starlette.datastructures import UploadFile

from famulus.conversations.attachments import AttachmentCard, Attachments, File
from famulus.conversations.errors import NotTaken
from famulus.conversations.sniffing import IMAGES, OFFICE, PDF, TEXT
from famulus.identity.deps import AnyPrincipal, CurrentPrincipal, IdPath

router = APIRouter(prefix="/api/v1", tags=["attachments"])
Ticket = Annotated[str, Query(max_length=500, description="What the address was given out with.")]
FILE = {
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


BYTES = {"schema": {"type": "string", "format": "binary"}}
SAVED: dict[int | str, dict[str, Any]] = {
    200: {"description": "The file.", "content": dict.fromkeys((*IMAGES, PDF, TEXT, *OFFICE.values()), BYTES)}
}
SMALL: dict[int | str, dict[str, Any]] = {
    200: {"description": "The picture.", "content": {"image/webp": BYTES}}
}


async def _attachments(request: Request) -> Attachments:
    return cast(Attachments, request.app.state.attachments)


AttachmentsDep = Annotated[Attachments, Depends(_attachments)]


class AttachmentOut(BaseModel):
    """A file of the person's own."""

    id: str
    type: Literal["file", "image"]
    name: str
    mime_type: str
    size: int
    status: Literal["pending", "ready"]
    thread_id: str | None
    preview_url: str | None
    """Of a picture: a small one, at an address that is good for ten minutes."""
    created_at: str


def shown(card: AttachmentCard) -> AttachmentOut:
    """The wire's form of an attachment."""
    return AttachmentOut.model_validate(card, from_attributes=True)


async def sent_file(request: Request, attachments: Attachments) -> File:
    """The file of a form, of one that is too long no more than shows that it is; raises NotTaken."""
    async with request.form(max_files=1, max_fields=8) as form:
        file = form.get("file")
        if not isinstance(file, UploadFile) or not file.filename:
            raise NotTaken("Send one file as the field `file` of a form.")
        return File(file.filename, file.content_type or "", await file.read(attachments.most_bytes + 1))


async def sent_bytes(request: Request, attachments: Attachments) -> bytes:
    """The body as it is, of one that is too long no more than shows that it is."""
    data = bytearray()
    async for piece in request.stream():
        data += piece
        if len(data) > attachments.most_bytes:
            break
    return bytes(data)


@router.post("/attachments", status_code=status.HTTP_201_CREATED, openapi_extra=FILE)
async def upload_attachment(
    request: Request, principal: CurrentPrincipal, attachments: AttachmentsDep
) -> AttachmentOut:
    """Send a picture, a PDF, an Office document or text, to be sent with a message."""
    principal.needs("chat")
    return shown(await attachments.upload(principal, await sent_file(request, attachments)))


@router.get("/attachments/{attachment_id}")
async def get_attachment(
    attachment_id: IdPath, principal: CurrentPrincipal, attachments: AttachmentsDep
) -> AttachmentOut:
    """What is known of a file."""
    return shown(await attachments.find(principal, attachment_id))


@router.get("/attachments/{attachment_id}/content", response_class=Response, responses=SAVED)
async def download(
    attachment_id: IdPath, principal: CurrentPrincipal, attachments: AttachmentsDep
) -> Response:
    """The file as it was sent, to be saved."""
    card, data = await attachments.content(principal, attachment_id)
    disposition = f"attachment; filename*=UTF-8''{quote(card.name, safe='')}"
    headers = {"content-disposition": disposition, "cache-control": "private, no-store"}
    return Response(data, media_type=card.mime_type, headers=headers)


@router.put("/attachments/{attachment_id}/upload", include_in_schema=False)
async def fill(
    attachment_id: IdPath, request: Request, ticket: Ticket, attachments: AttachmentsDep
) -> AttachmentOut:
    """Send the bytes of a file that was begun, as they are or in a form."""
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        data = (await sent_file(request, attachments)).data
    else:
        data = await sent_bytes(request, attachments)
    return shown(await attachments.fill(attachment_id, ticket, data))


@router.get("/attachments/{attachment_id}/thumbnail", response_class=Response, responses=SMALL)
async def preview(
    attachment_id: IdPath,
    principal: AnyPrincipal,
    attachments: AttachmentsDep,
    ticket: Annotated[str | None, Query(max_length=500)] = None,
) -> Response:
    """A small WebP of a picture."""
    data = await attachments.preview(attachment_id, ticket, principal)
    headers = {"content-disposition": "attachment", "cache-control": "private, max-age=300"}
    if ticket is not None:
        headers["cross-origin-resource-policy"] = "cross-origin"
    return Response(data, media_type="image/webp", headers=headers)


@router.delete("/attachments/{attachment_id}", status_code=status.HTTP_204_NO_CONTENT)
async def remove(attachment_id: IdPath, principal: CurrentPrincipal, attachments: AttachmentsDep) -> None:
    """Delete a file that no message has."""
    await attachments.remove(principal, attachment_id)
