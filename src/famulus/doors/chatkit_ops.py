"""The sixteen operations of ChatKit's protocol, read with its package's own types, and carried out by our rooms."""

import base64
import binascii

from chatkit.types import (
    AttachmentsCreateReq,
    AttachmentsDeleteReq,
    ChatKitReq,
    InputTranscribeReq,
    ItemsFeedbackReq,
    ItemsListReq,
    StreamingReq,
    ThreadsAddClientToolOutputReq,
    ThreadsAddStructuredInputReq,
    ThreadsAddUserMessageReq,
    ThreadsCreateReq,
    ThreadsCustomActionReq,
    ThreadsDeleteReq,
    ThreadsGetByIdReq,
    ThreadsListReq,
    ThreadsRetryAfterItemReq,
    ThreadsSyncCustomActionReq,
    ThreadsUpdateReq,
    is_streaming_req,
)
from fastapi import Request, Response
from pydantic import TypeAdapter, ValidationError

from famulus.conversations import feedback, threads
from famulus.conversations.attachments import AttachmentCard
from famulus.doors.answers import json_answer
from famulus.doors.chatkit_actions import Action, Actions
from famulus.doors.chatkit_reading import Reading, Rooms, thread_item
from famulus.doors.chatkit_turns import Turns, told
from famulus.doors.chatkit_widgets import Item
from famulus.doors.watch import make_room
from famulus.identity.principal import Principal
from famulus.kernel.errors import (
    BadRequest,
    Conflict,
    FieldProblem,
    Forbidden,
    Invalid,
    TooMany,
    Unavailable,
)
from famulus.kernel.text import clean_text
from famulus.llm.transcribe import OPENAI, Transcriber

_requests: TypeAdapter[ChatKitReq] = TypeAdapter(ChatKitReq)
MOST_RATED = 50
SHOWN_FAULTS = 5
IN_THE_STREAM = (Conflict, TooMany, Unavailable, Forbidden)
"""What the person reads in place of an answer; whatever else is wrong is said by the status."""
JsonReq = (
    ThreadsGetByIdReq
    | ThreadsListReq
    | ItemsListReq
    | ItemsFeedbackReq
    | AttachmentsCreateReq
    | AttachmentsDeleteReq
    | ThreadsUpdateReq
    | ThreadsDeleteReq
    | InputTranscribeReq
    | ThreadsSyncCustomActionReq
)


def read_request(body: bytes) -> ChatKitReq:
    """The request that a body is; raises BadRequest, which names what is wrong with it."""
    try:
        return _requests.validate_json(body)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)
        faults = tuple(FieldProblem(_path(each["loc"]), each["msg"]) for each in found[:SHOWN_FAULTS])
        raise BadRequest("This is no request of the ChatKit protocol.", fields=faults) from error


async def answer(
    rooms: Rooms, principal: Principal, request: Request, body: bytes, key: str | None
) -> Response:
    """Carry one request out; with a `key` that a message was accepted with, it is that one."""
    asked = read_request(body)
    turns = Turns(rooms, principal, request, asked.metadata, key)
    if not is_streaming_req(asked):
        return json_answer(await _json(rooms, principal, turns, asked))
    principal.needs("chat")
    try:
        make_room(request, principal)
        return await _stream(turns, asked)
    except IN_THE_STREAM as error:
        return told(error)


async def _stream(turns: Turns, asked: StreamingReq) -> Response:
    match asked:
        case ThreadsCreateReq(params=given):
            return await turns.create(given.input)
        case ThreadsAddUserMessageReq(params=given):
            return await turns.add(given.thread_id, given.input)
        case ThreadsAddClientToolOutputReq(params=given):
            return await turns.client_output(given.thread_id, given.result)
        case ThreadsAddStructuredInputReq(params=given):
            return await turns.answers(given.thread_id, given.item_id, given.input)
        case ThreadsRetryAfterItemReq(params=given):
            return await turns.again(given.thread_id, given.item_id)
        case ThreadsCustomActionReq():
            return await Actions(turns).streamed(_action(asked))


async def _json(rooms: Rooms, principal: Principal, turns: Turns, asked: JsonReq) -> Item:
    reading = turns.reading
    match asked:
        case ThreadsGetByIdReq(params=given):
            return await reading.thread(given.thread_id)
        case ThreadsListReq(params=given):
            return await reading.threads(given.limit, given.after, oldest_first=given.order == "asc")
        case ItemsListReq(params=given):
            newest_first = given.order == "desc"
            return await reading.items(given.thread_id, given.limit, given.after, newest_first=newest_first)
        case ThreadsSyncCustomActionReq():
            return await Actions(turns).at_once(_action(asked))
        case _:
            return await _change(rooms, principal, reading, asked)


async def _change(
    rooms: Rooms,
    principal: Principal,
    reading: Reading,
    asked: ThreadsUpdateReq
    | ThreadsDeleteReq
    | ItemsFeedbackReq
    | AttachmentsCreateReq
    | AttachmentsDeleteReq
    | InputTranscribeReq,
) -> Item:
    match asked:
        case ThreadsUpdateReq(params=given):
            return await _rename(rooms, principal, reading, asked)
        case ThreadsDeleteReq(params=given):
            await reading.card(given.thread_id)
            async with rooms.database.write() as session:
                await threads.delete_thread(session, principal, given.thread_id)
        case ItemsFeedbackReq():
            await _rate(rooms, principal, reading, asked)
        case InputTranscribeReq():
            return await _transcribe(rooms, principal, asked)
        case AttachmentsCreateReq(params=given):
            begun = await rooms.attachments.begin(principal, given.name, given.size, given.mime_type)
            preview = rooms.attachments.preview_url(begun.id)
            return _attachment(begun, preview)
        case AttachmentsDeleteReq(params=given):
            await rooms.attachments.remove(principal, given.attachment_id)
    return {}


async def _rename(rooms: Rooms, principal: Principal, reading: Reading, asked: ThreadsUpdateReq) -> Item:
    given = asked.params
    await reading.card(given.thread_id)
    try:
        title = clean_text(given.title, 200, single_line=True)
    except ValueError as error:
        raise Invalid(fields=(FieldProblem("params.title", str(error)),)) from error
    async with rooms.database.write() as session:
        return thread_item(await threads.rename_thread(session, principal, given.thread_id, title))


async def _rate(rooms: Rooms, principal: Principal, reading: Reading, asked: ItemsFeedbackReq) -> None:
    given = asked.params
    if not 1 <= len(given.item_ids) <= MOST_RATED:
        raise Invalid(fields=(FieldProblem("params.item_ids", f"Name 1 to {MOST_RATED} items."),))
    await reading.card(given.thread_id)
    rated = await reading.messages(given.thread_id, given.item_ids)
    rating = "up" if given.kind == "positive" else "down"
    async with rooms.database.write() as session:
        for message in rated:
            await feedback.give_feedback(session, principal, message.id, rating, "")


async def _transcribe(rooms: Rooms, principal: Principal, asked: InputTranscribeReq) -> Item:
    principal.needs("chat")
    try:
        audio = base64.b64decode(asked.params.audio_base64, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Invalid(fields=(FieldProblem("params.audio_base64", "This is not base64."),)) from error
    settings = rooms.settings
    key = settings.openai_api_key
    transcriber = Transcriber(
        settings.transcription_model,
        settings.transcription_base_url or OPENAI,
        key.get_secret_value() if key else None,
    )
    return {"text": await transcriber.text_of(audio, asked.params.mime_type)}


def _attachment(card: AttachmentCard, preview_url: str) -> Item:
    """A file that was begun, with where its bytes go."""
    descriptor = {"url": card.upload_url, "method": "PUT", "headers": {"content-type": card.mime_type}}
    picture = card.mime_type.startswith("image/")
    kind: Item = {"type": "image", "preview_url": preview_url} if picture else {"type": "file"}
    return {
        **kind, "id": card.id, "name": card.name, "mime_type": card.mime_type,
        "upload_descriptor": descriptor,
    }  # fmt: skip


def _action(asked: ThreadsCustomActionReq | ThreadsSyncCustomActionReq) -> Action:
    given = asked.params
    return Action(given.thread_id, given.item_id, given.action.type, given.action.payload)


def _path(location: tuple[str | int, ...]) -> str:
    return ".".join(str(part) for part in location)[:200].encode("utf-8", "replace").decode() or "body"
