"""Speech to text over the wire of OpenAI's `/audio/transcriptions`, which many servers of one's own speak as well."""

from dataclasses import dataclass

import msgspec

from famulus.kernel.errors import FieldProblem, Forbidden, Invalid
from famulus.llm import errors
from famulus.llm.provider_errors import error_for, read_message, retry_after

MOST_BYTES = 6_000_000
TIMEOUT = 60.0
"""Seconds for one recording."""
MOST_ANSWER = 1_000_000
ENDINGS = {
    "audio/webm": "webm",
    "audio/ogg": "ogg",
    "audio/mp4": "mp4",
    "audio/mpeg": "mp3",
    "audio/wav": "wav",
    "audio/x-wav": "wav",
}
"""What is taken, and the ending of the name by which the far side knows it."""
OPENAI = "https://api.openai.com/v1"


class NoTranscription(Forbidden):
    """Dictation is not set up on this server; the operator names a model in FAMULUS_TRANSCRIPTION_MODEL."""

    code = "no_transcription"


class _Said(msgspec.Struct):
    text: str


@dataclass(frozen=True, slots=True)
class Transcriber:
    """Turns recordings into text."""

    model: str | None
    base_url: str
    key: str | None

    async def text_of(self, audio: bytes, mime_type: str) -> str:
        """What is said in a recording. Raises NoTranscription, Invalid or a ModelError."""
        if self.model is None:
            raise NoTranscription()
        kind = mime_type.partition(";")[0].strip().lower()
        if kind not in ENDINGS:
            problem = f"Send one of {', '.join(ENDINGS)}."
            raise Invalid(fields=(FieldProblem("params.mime_type", problem),))
        if not 0 < len(audio) <= MOST_BYTES:
            problem = f"Send a recording of 1 to {MOST_BYTES:,} bytes."
            raise Invalid(fields=(FieldProblem("params.audio_base64", problem),))
        status, body, wait = await self._send(self.model, audio, kind)
        if status != 200:
            raise error_for(
                status,
                model=self.model,
                message=read_message(body),
                secret=self.key,
                wait=wait,
                address_setting="FAMULUS_TRANSCRIPTION_BASE_URL",
            )
        try:
            return msgspec.json.decode(body, type=_Said).text.strip()
        except msgspec.DecodeError as error:
            raise errors.ModelNonsense() from error

    async def _send(self, model: str, audio: bytes, kind: str) -> tuple[int, bytes, float | None]:
        import aiohttp  # lazy: for who dictates

        form = aiohttp.FormData()
        form.add_field("model", model)
        form.add_field("response_format", "json")
        form.add_field("file", audio, filename=f"speech.{ENDINGS[kind]}", content_type=kind)
        headers = {"authorization": f"Bearer {self.key}"} if self.key else {}
        url = f"{self.base_url.rstrip('/')}/audio/transcriptions"
        try:
            timeout = aiohttp.ClientTimeout(total=TIMEOUT)
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.post(url, data=form, headers=headers, allow_redirects=False) as answer,
            ):
                body = await answer.content.read(MOST_ANSWER)
                return answer.status, body, retry_after(answer.headers.get("retry-after"))
        except TimeoutError as error:
            raise errors.ModelTimeout() from error
        except (aiohttp.ClientError, OSError) as error:
            raise errors.ModelUnreachable() from error
