"""Attachments: files that a person sends with a message. Theirs alone, kept by content and under names of our own.

    begin (two phases) ─▶ pending ─ bytes ─▶ ready ─ a message is accepted with it ─▶ attached
    upload (one phase) ───────────────────────▶ ready

What no message took within some days, and what lost its thread or its owner, is removed by an hourly job.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import PurePosixPath
from typing import Literal

from sqlalchemy import and_, delete, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.conversations.errors import AttachmentNotFound, NotTaken
from famulus.conversations.models import Attachment
from famulus.conversations.parts import Attached
from famulus.conversations.sniffing import IMAGES, agrees, sniffed
from famulus.conversations.thumbnails import thumbnail
from famulus.conversations.views import rfc3339
from famulus.identity.principal import Principal
from famulus.kernel.blobs import Blobs
from famulus.kernel.database import Database
from famulus.kernel.errors import FieldProblem, Invalid, TooLarge, Unauthenticated
from famulus.kernel.ids import new_id
from famulus.kernel.jobs import Payload
from famulus.kernel.jobs_schedule import Schedule
from famulus.kernel.secrets import Unreadable, Vault
from famulus.kernel.settings import Settings
from famulus.kernel.tables import utc_now
from famulus.kernel.text import clean_text

PURGE = Schedule("attachments.purge", "41 * * * *", "attachments.purge")
MOST = 10
"""Files of one message."""
AT_ONCE = 200
"""Attachments that one run of the job removes at most."""
TICKET = 600
"""Seconds that an address to upload to, or to see a picture at, is good for."""


@dataclass(frozen=True, slots=True)
class AttachmentCard:
    """An attachment as doors show it to its owner."""

    id: str
    type: Literal["file", "image"]
    name: str
    mime_type: str
    size: int
    status: str
    thread_id: str | None
    preview_url: str | None
    upload_url: str | None
    created_at: str


@dataclass(frozen=True, slots=True)
class File:
    """What somebody sends."""

    name: str
    mime_type: str
    data: bytes


class Attachments:
    """The attachments of one application."""

    def __init__(self, database: Database, blobs: Blobs, vault: Vault, settings: Settings) -> None:
        self._database = database
        self._blobs = blobs
        self._vault = vault
        self._base_url = settings.base_url
        self.most_bytes = settings.max_attachment_bytes
        self._stray = timedelta(days=settings.stray_file_days)

    async def begin(self, principal: Principal, name: str, size: int, mime_type: str) -> AttachmentCard:
        """A place for a file whose bytes come later. Raises Invalid or TooLarge."""
        principal.needs("chat")
        if not 0 < size <= self.most_bytes:
            raise TooLarge(f"A file may have 1 to {self.most_bytes:,} bytes.")
        row = self._row(principal, name, mime_type[:150], size)
        async with self._database.write() as session:
            session.add(row)
        return self._card(row)

    async def fill(self, attachment_id: str, ticket: str, data: bytes) -> AttachmentCard:
        """The bytes of a file that was begun, from whoever holds its ticket. Raises AttachmentNotFound, NotTaken."""
        row = await self._by_ticket(attachment_id, "upload", ticket)
        if row.status != "pending":
            raise AttachmentNotFound()
        return self._card(await self._keep(row, File(row.name, row.mime_type, data), new=False))

    async def upload(self, principal: Principal, file: File) -> AttachmentCard:
        """A whole file. Raises Invalid, TooLarge or NotTaken; then nothing is kept."""
        principal.needs("chat")
        row = self._row(principal, file.name, file.mime_type, len(file.data))
        return self._card(await self._keep(row, file, new=True))

    async def find(self, principal: Principal, attachment_id: str) -> AttachmentCard:
        """One of this person's; raises AttachmentNotFound."""
        principal.needs("chat")
        async with self._database.read() as session:
            return self._card(await _own(session, principal, attachment_id))

    async def content(self, principal: Principal, attachment_id: str) -> tuple[AttachmentCard, bytes]:
        """The file itself; raises AttachmentNotFound."""
        card = await self.find(principal, attachment_id)
        if card.status == "pending":
            raise AttachmentNotFound()
        return card, await self._blobs.get(card.id)

    async def preview(self, attachment_id: str, ticket: str | None, principal: Principal | None) -> bytes:
        """The small picture, for its owner or whoever holds a ticket of theirs; raises AttachmentNotFound."""
        if ticket is not None:
            card = self._card(await self._by_ticket(attachment_id, "preview", ticket))
        elif principal is not None:
            card = await self.find(principal, attachment_id)
        else:
            raise Unauthenticated()
        if card.type != "image":
            raise AttachmentNotFound()
        return await self._blobs.get(f"{card.id}.preview")

    async def remove(self, principal: Principal, attachment_id: str) -> None:
        """Delete one that no message has; raises AttachmentNotFound."""
        principal.needs("chat")
        async with self._database.write() as session:
            row = await _own(session, principal, attachment_id)
            if row.message_id is not None:
                raise AttachmentNotFound("This belongs to a message; delete the conversation instead.")
            await session.delete(row)
        await self._blobs.delete(row.id, f"{row.id}.preview")

    async def chosen(self, principal: Principal, ids: Sequence[str]) -> tuple[Attached, ...]:
        """Those that a message is sent with, in their order; raises AttachmentNotFound unless all are there."""
        if not ids:
            return ()
        if len(ids) > MOST:
            raise Invalid(fields=(FieldProblem("attachments", f"At most {MOST} files go with a message."),))
        query = select(Attachment).where(Attachment.id.in_(ids), Attachment.user_id == principal.user_id)
        async with self._database.read() as session:
            found = {row.id: row for row in (await session.execute(query)).scalars()}
        rows = [found[id] for id in dict.fromkeys(ids) if id in found]
        if len(rows) != len(set(ids)) or any(row.status != "ready" or row.message_id for row in rows):
            raise AttachmentNotFound()
        return tuple(Attached(row.id, row.name, row.mime_type, row.size) for row in rows)

    async def read(self, ids: Sequence[str]) -> Mapping[str, bytes]:
        """The files of accepted messages, for the model that answers them."""
        return {id: await self._blobs.get(id) for id in ids}

    def preview_url(self, attachment_id: str) -> str:
        """Where a picture's small one is, for whoever is given this address."""
        return self._address(attachment_id, "thumbnail", "preview")

    def _address(self, attachment_id: str, place: str, purpose: str) -> str:
        sealed = self._vault.encrypt(str(int(time.time()) + TICKET), f"attachment {purpose} {attachment_id}")
        return f"{self._base_url}/api/v1/attachments/{attachment_id}/{place}?ticket={sealed}"

    def _card(self, row: Attachment) -> AttachmentCard:
        return AttachmentCard(
            id=row.id,
            type="image" if row.has_preview else "file",
            name=row.name,
            mime_type=row.mime_type,
            size=row.size,
            status=row.status,
            thread_id=row.thread_id,
            preview_url=self.preview_url(row.id) if row.has_preview else None,
            upload_url=self._address(row.id, "upload", "upload") if row.status == "pending" else None,
            created_at=rfc3339(row.created_at),
        )

    async def purge(self, _payload: Payload) -> None:
        """Remove what no message took and what lost its thread, after some days, and at once what lost its owner."""
        stray = or_(Attachment.message_id.is_(None), Attachment.thread_id.is_(None))
        old = and_(stray, Attachment.created_at < utc_now() - self._stray)
        query = select(Attachment.id).where(or_(old, Attachment.user_id.is_(None))).limit(AT_ONCE)
        async with self._database.read() as session:
            ids = list((await session.execute(query)).scalars())
        await self._blobs.delete(*(name for id in ids for name in (id, f"{id}.preview")))
        async with self._database.write() as session:
            await session.execute(delete(Attachment).where(Attachment.id.in_(ids)))

    async def _by_ticket(self, attachment_id: str, purpose: str, ticket: str) -> Attachment:
        try:
            until = int(self._vault.decrypt(ticket, f"attachment {purpose} {attachment_id}"))
        except Unreadable as error:
            raise AttachmentNotFound() from error
        async with self._database.read() as session:
            row = await session.get(Attachment, attachment_id)
        if row is None or until < time.time():
            raise AttachmentNotFound()
        return row

    def _row(self, principal: Principal, name: str, mime_type: str, size: int) -> Attachment:
        try:
            clean = clean_text(PurePosixPath(name.replace("\\", "/")).name, 200, single_line=True)
        except ValueError as error:
            raise Invalid(fields=(FieldProblem("name", str(error)),)) from error
        return Attachment(
            id=new_id("att"),
            user_id=principal.user_id,
            name=clean,
            mime_type=mime_type,
            size=size,
            status="pending",
            has_preview=False,
            created_at=utc_now(),
        )

    async def _keep(self, row: Attachment, file: File, *, new: bool) -> Attachment:
        """Store bytes that are what they are said to be."""
        if not 0 < len(file.data) <= self.most_bytes:
            raise TooLarge(f"A file may have 1 to {self.most_bytes:,} bytes.")
        found = sniffed(file.data)
        if found is None or not agrees(found, file.mime_type, file.name):
            raise NotTaken()
        small = await thumbnail(file.data) if found in IMAGES else None
        if found in IMAGES and small is None:
            raise NotTaken("This picture cannot be read, or has too many pixels.")
        await self._blobs.put(row.id, file.data)
        if small is not None:
            await self._blobs.put(f"{row.id}.preview", small)
        row.mime_type, row.size = found, len(file.data)
        row.status, row.has_preview = "ready", small is not None
        async with self._database.write() as session:
            if new:
                session.add(row)
            else:
                await session.merge(row)
        return row


async def _own(session: AsyncSession, principal: Principal, attachment_id: str) -> Attachment:
    row = await session.get(Attachment, attachment_id)
    if row is None or row.user_id != principal.user_id:
        raise AttachmentNotFound()
    return row
