"""The form of an answer that a program asks for, and why an answer stops before its end."""

import pytest

from famulus.conversations.parts import Application, Cut, Text
from famulus.llm.openai_request import encode_request as for_chat
from famulus.llm.protocol import ChatMessage, ModelSettings, Request
from famulus.llm.responses_request import encode_request as for_responses
from famulus.runs.ask import Ask
from famulus.runs.errors import FormatNotSupported
from tests.runs.conftest import Instance, Open
from tests.runs.test_acting import parts_of
from tests.support.fake_provider import FakeProvider

SCHEMA = {
    "type": "json_schema",
    "json_schema": {"name": "point", "schema": {"type": "object"}, "strict": True},
}


@pytest.mark.parametrize("reason", ["length", "content_filter"])
async def test_why_an_answer_stops_is_kept(instance: Instance, provider: FakeProvider, reason: str) -> None:
    provider.reply("Half", finish=reason)
    provider.reply("Whole")
    cut, whole = [await instance.ask() for _ in range(2)]
    for started in (cut, whole):
        await instance.follow(started.run.id)

    assert [type(part) for part in await parts_of(instance, cut.run.id)] == [Text, Cut]
    assert (await parts_of(instance, cut.run.id))[1].reason == reason
    assert [type(part) for part in await parts_of(instance, whole.run.id)] == [Text]


async def test_a_form_is_asked_of_a_model_that_can_be_held_to_it(
    opened: Open, provider: FakeProvider
) -> None:
    async with opened() as instance, opened(model="offline") as other:
        asked = Ask(await instance.thread(), "Where?", application=Application(format=SCHEMA))
        started = await instance.parts.runs.start(instance.person, asked)
        await instance.follow(started.run.id)
        with pytest.raises(FormatNotSupported):
            await other.parts.runs.start(instance.person, asked)

    forms = [each.body.get("response_format") for each in provider.requests]
    assert [form for form in forms if form] == [SCHEMA], "of the answer; the thread's title has no form"


def test_a_form_on_both_wires() -> None:
    request = Request((ChatMessage("user", "Where?"),), model_settings=ModelSettings(format=SCHEMA))
    assert b'"response_format":{"type":"json_schema","json_schema":{"name":"point"' in for_chat(
        request, model="m", openai=True
    )
    assert b'"text":{"format":{"type":"json_schema","name":"point"' in for_responses(request, model="m")
