"""Calls that wait for a person: shown as they are, answered once by whom it concerns, done exactly as shown."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from famulus.conversations.parts import Tool as ToolPart
from famulus.identity.principal import NeedsPerson, Principal
from famulus.kernel.errors import Conflict, FamulusError, Forbidden, Invalid, NotFound
from famulus.kernel.paging import Paging
from famulus.kernel.tables import utc_now
from famulus.runs.approvals import Answer, ApprovalView
from famulus.runs.ask import Started
from famulus.runs.asking import hash_of
from famulus.runs.errors import ApprovalDiffers, ApprovalNotFound, ApprovalSettled
from famulus.runs.events import ApprovalAnswered, ApprovalCard, ApprovalRequested, Entry, EventId
from famulus.tools.contract import Difference, Done, NeedsApproval, Preview, ToolContext
from tests.runs.conftest import Instance, Open, execute, tags
from tests.runs.test_acting import Notes, Say, call, parts_of, tasks
from tests.support.fake_provider import FakeProvider
from tests.support.waiting import until


class Wiper(Notes):
    """Writes a task where it would destroy something, so that one sees how often it did."""

    def __init__(self) -> None:
        super().__init__(effect="destroys")

    async def preview(self, _context: ToolContext, given: Say) -> Preview:
        bound = {"text": f"{given.text}!"}
        return Preview(
            f"Wipe “{given.text}”", bound, (Difference("text", given.text, bound["text"]),), ("For good.",)
        )

    def wipe(self) -> Any:
        return self.tool("wipe", preview=self.preview)


def cards(entries: Sequence[Entry]) -> list[ApprovalCard]:
    return [entry.event.approval for entry in entries if isinstance(entry.event, ApprovalRequested)]


async def waiting(instance: Instance) -> tuple[Started, list[Entry], ApprovalCard]:
    """A run whose model wants to wipe something."""
    started = await instance.ask("Wipe it.")
    entries = await instance.follow(started.run.id)
    return started, entries, cards(entries)[-1]


async def say(instance: Instance, card: ApprovalCard, decision: Any = "approve", **more: Any) -> ApprovalView:
    answer = Answer(decision, more.pop("hash", card.hash), **more)
    return await instance.parts.approvals.answer(instance.person, card.id, answer)


async def test_a_run_waits_shows_what_it_would_do_and_does_exactly_that(
    opened: Open, provider: FakeProvider
) -> None:
    provider.raw(*call(("wipe", "all")))
    provider.reply("Wiped.")
    async with opened(Wiper().wipe()) as instance:
        started, entries, card = await waiting(instance)
        before = await instance.parts.runs.get(instance.person, started.run.id)
        held = instance.parts.runner.works.get(started.run.id)
        answered = await say(instance, card)
        more = await instance.follow(started.run.id, entries[-1].id)
        part, _ = await parts_of(instance, started.run.id)
        titles = await tasks(instance)

    assert tags(entries)[-1] == "approval.requested"
    assert (before.status, before.answer, held) == ("awaiting_approval", None, None)
    assert (card.title, card.arguments, card.effect) == ("Wipe “all”", '{"text":"all!"}', "destroys")
    assert (card.changes[0].before, card.changes[0].after, card.notes) == ("all", "all!", ("For good.",))
    assert card.hash == hash_of(card)
    assert answered.status == "approved"
    assert tags(more) == [
        "answer.restarted",
        "approval.answered",
        "tool.called",
        "tool.finished",
        "text.delta",
        "message.completed",
        "run.completed",
    ]
    assert more[0].id == EventId(2, 1)
    assert titles == ["all!"]
    assert (part.status, part.arguments, part.effect) == ("ok", '{"text":"all!"}', "destroys")


async def test_no_with_a_reason_is_told_to_the_model(opened: Open, provider: FakeProvider) -> None:
    provider.raw(*call(("wipe", "all")))
    provider.reply("Then not.")
    async with opened(Wiper().wipe()) as instance:
        started, entries, card = await waiting(instance)
        await say(instance, card, "deny", reason="Too early.")
        more = await instance.follow(started.run.id, entries[-1].id)
        part, _ = await parts_of(instance, started.run.id)
        titles = await tasks(instance)

    assert next(e.event for e in more if isinstance(e.event, ApprovalAnswered)).reason == "Too early."
    assert part.status == "denied"
    assert "Too early." in provider.requests[1].body["messages"][-1]["content"]
    assert titles == []


async def test_other_arguments_are_checked_bound_and_both_are_kept(
    opened: Open, provider: FakeProvider
) -> None:
    provider.raw(*call(("wipe", "all")))
    provider.reply("Wiped.")
    async with opened(Wiper().wipe()) as instance:
        started, entries, card = await waiting(instance)
        with pytest.raises(Invalid) as refused:
            await say(instance, card, arguments={"txt": "some"})
        answered = await say(instance, card, arguments={"text": "some"})
        await instance.follow(started.run.id, entries[-1].id)
        part, _ = await parts_of(instance, started.run.id)
        titles = await tasks(instance)

    assert "txt" in refused.value.fields[0].message
    assert answered.edited == '{"text":"some!"}'
    assert titles == ["some!"]
    assert (part.arguments, part.asked) == ('{"text":"some!"}', '{"text":"all!"}')


async def test_M02_only_what_was_shown_can_be_answered_and_only_once(
    opened: Open, provider: FakeProvider
) -> None:
    provider.raw(*call(("wipe", "all")))
    provider.reply("Wiped.")
    async with opened(Wiper().wipe()) as instance:
        started, entries, card = await waiting(instance)
        with pytest.raises(ApprovalDiffers):
            await say(instance, card, hash="0" * 64)
        with pytest.raises(ApprovalNotFound):
            await say(instance, msgspec.structs.replace(card, id="apr_1"))
        results = await asyncio.gather(*[say(instance, card) for _ in range(8)], return_exceptions=True)
        await instance.follow(started.run.id, entries[-1].id)
        with pytest.raises(ApprovalSettled):
            await say(instance, card, "deny")
        titles = await tasks(instance)

    assert sum(isinstance(result, ApprovalView) for result in results) == 1
    assert sum(isinstance(result, ApprovalSettled) for result in results) == 7
    assert titles == ["all!"]


async def test_others_neither_see_nor_answer(opened: Open, provider: FakeProvider) -> None:
    provider.raw(*call(("wipe", "all")))
    async with opened(Wiper().wipe()) as instance:
        _, _, card = await waiting(instance)
        other = replace(instance.person, user_id="usr_other", role="site_admin")
        for decision in ("approve", "deny"):
            with pytest.raises(NotFound):
                await instance.parts.approvals.answer(other, card.id, Answer(decision, card.hash))
        async with instance.database.read() as session:
            theirs = await instance.parts.approvals.list(session, other, Paging(), pending=False)
            mine = await instance.parts.approvals.list(session, instance.person, Paging(), pending=True)

    assert theirs.items == []
    assert [(each.id, each.status, each.mine) for each in mine.items] == [(card.id, "pending", True)]


async def test_a_role_that_the_rules_name_answers_instead_of_who_asked(
    opened: Open, provider: FakeProvider
) -> None:
    provider.raw(*call(("wipe", "all")))
    provider.reply("Wiped.")
    async with opened(Wiper().wipe()) as instance:
        teacher = await _member(instance)
        thread = await instance.thread(
            tool_rules=({"tools": "wipe", "decision": "ask", "approver": "teacher"},)
        )
        started = await instance.send(thread, "Wipe it.")
        entries = await instance.follow(started.run.id)
        (card,) = cards(entries)
        with pytest.raises(Forbidden):
            await say(instance, card)
        with pytest.raises(NotFound):  # nobody teaches before the address is verified
            unproven = replace(teacher, email_verified=False)
            await instance.parts.approvals.answer(unproven, card.id, Answer("approve", card.hash))
        answered = await instance.parts.approvals.answer(teacher, card.id, Answer("approve", card.hash))
        await instance.follow(started.run.id, entries[-1].id)
        titles = await tasks(instance)

    assert (answered.status, answered.approver) == ("approved", "teacher")
    assert titles == ["all!"]


async def _member(instance: Instance) -> Principal:
    """Puts the person who asks into an organization; returns a teacher of it."""
    sql = (
        "INSERT INTO organizations (id, name, name_key, created_at, updated_at) VALUES ($1, 'A', 'a', $2, $2)"
    )
    await execute(instance.database, sql, "org_1", utc_now())
    sql = (
        "INSERT INTO memberships (organization_id, user_id, role, person_key, created_at)"
        " VALUES ('org_1', $1, 'student', 'a', $2)"
    )
    await execute(instance.database, sql, instance.person.user_id, utc_now())
    instance.person = replace(instance.person, organization_id="org_1", organization_name="A", role="student")
    return replace(instance.person, user_id="usr_teacher", role="teacher", email_verified=True)


async def test_a_tool_may_find_that_somebody_has_to_say_yes(opened: Open, provider: FakeProvider) -> None:
    class Careful(Notes):
        async def act(self, context: ToolContext, given: Say) -> Done:
            done = await super().act(context, given)
            if len(self.keys) == 1:
                raise NeedsApproval("It is dear.")
            return done

    provider.raw(*call(("note", "milk")))
    provider.reply("Noted.")
    async with opened(Careful().tool()) as instance:
        started = await instance.ask()
        entries = await instance.follow(started.run.id)
        (card,) = cards(entries)
        before = await tasks(instance)
        await say(instance, card)
        await instance.follow(started.run.id, entries[-1].id)
        after = await tasks(instance)

    assert card.notes == ("It is dear.",)
    assert (before, after) == ([], ["milk"])


async def test_several_wait_together_and_the_run_goes_on_after_the_last(
    opened: Open, provider: FakeProvider
) -> None:
    provider.raw(*call(("wipe", "one"), ("wipe", "two")))
    provider.reply("Done.")
    async with opened(Wiper().wipe()) as instance:
        started = await instance.ask()
        entries = await instance.follow(started.run.id)
        first, second = cards(entries)
        await say(instance, second)
        between = await instance.parts.runs.get(instance.person, started.run.id)
        await say(instance, first, "deny")
        await instance.follow(started.run.id, entries[-1].id)
        parts = await parts_of(instance, started.run.id)
        titles = await tasks(instance)

    assert between.status == "awaiting_approval"
    assert [part.status for part in parts if isinstance(part, ToolPart)] == ["denied", "ok"]
    assert titles == ["two!"]


async def test_D16_waiting_survives_a_restart(opened: Open, provider: FakeProvider) -> None:
    provider.raw(*call(("wipe", "all")))
    provider.reply("Wiped.")
    async with opened(Wiper().wipe()) as first:
        started, entries, card = await waiting(first)
    async with opened(Wiper().wipe()) as second:
        again = await second.follow(started.run.id)
        await say(second, card)
        more = await second.follow(started.run.id, entries[-1].id)
        titles = await tasks(second)

    assert [entry.id for entry in again] == [entry.id for entry in entries]
    assert tags(more)[-1] == "run.completed"
    assert titles == ["all!"]


async def test_D16_nobody_answers_in_time(opened: Open, provider: FakeProvider) -> None:
    provider.raw(*call(("wipe", "all")))
    async with opened(Wiper().wipe(), approval_lifetime=1) as instance:
        started, _, card = await waiting(instance)
        await until(lambda: _ended(instance, started.run.id))
        run = await instance.parts.runs.get(instance.person, started.run.id)
        with pytest.raises(Conflict):
            await say(instance, card)
        titles = await tasks(instance)

    assert run.error is not None
    assert (run.status, run.error.code) == ("failed", "approval_expired")
    assert run.answer is not None
    assert [part.status for part in run.answer.parts if isinstance(part, ToolPart)] == ["denied"]
    assert titles == []


async def _ended(instance: Instance, run_id: str) -> bool:
    return (await instance.parts.runs.get(instance.person, run_id)).status == "failed"


async def test_D16_a_cancelled_run_no_longer_waits(opened: Open, provider: FakeProvider) -> None:
    provider.raw(*call(("wipe", "all")))
    async with opened(Wiper().wipe()) as instance:
        started, _, card = await waiting(instance)
        run = await instance.parts.runs.cancel(instance.person, started.run.id)
        with pytest.raises(ApprovalSettled):
            await say(instance, card)
        async with instance.database.read() as session:
            view = await instance.parts.approvals.get(session, instance.person, card.id)
        titles = await tasks(instance)

    assert run.status == "cancelled"
    assert view.status == "withdrawn"
    assert titles == []


async def test_A11_who_has_lost_the_account_meanwhile_does_nothing(
    opened: Open, provider: FakeProvider
) -> None:
    provider.raw(*call(("wipe", "all")))
    async with opened(Wiper().wipe()) as instance:
        started, _, card = await waiting(instance)
        await execute(
            instance.database,
            "UPDATE users SET suspended = TRUE WHERE id = $1",
            instance.person.user_id,
        )
        await say(instance, card)
        await until(lambda: _ended(instance, started.run.id))
        titles = await tasks(instance)

    assert titles == []


@pytest.mark.parametrize("policy", ["reject", "enqueue", "interrupt"])
async def test_D15_a_second_message_while_one_waits(
    opened: Open, provider: FakeProvider, policy: str
) -> None:
    provider.raw(*call(("wipe", "all")))
    provider.reply("Hello.")
    async with opened(Wiper().wipe()) as instance:
        thread = await instance.thread(on_second_message=policy)
        started = await instance.send(thread, "Wipe it.")
        entries = await instance.follow(started.run.id)
        (card,) = cards(entries)
        if policy == "reject":
            with pytest.raises(FamulusError, match="still answering"):
                await instance.send(thread, "Hello?")
            return
        second = await instance.send(thread, "Hello?")
        if policy == "enqueue":
            provider.reply("Hello again.")
            await say(instance, card, "deny")
        await until(lambda: _completed(instance, second.run.id))
        first = await instance.parts.runs.get(instance.person, started.run.id)

    assert first.status == ("completed" if policy == "enqueue" else "cancelled")


async def _completed(instance: Instance, run_id: str) -> bool:
    return (await instance.parts.runs.get(instance.person, run_id)).status == "completed"


async def test_M03_what_does_not_show_is_made_to_show(opened: Open, provider: FakeProvider) -> None:
    provider.raw(*call(("wipe", "a\u202eb\u200bc\U000e0041")))
    async with opened(Wiper().wipe()) as instance:
        _, _, card = await waiting(instance)

    for character in "\u202e\u200b\U000e0041":
        assert character not in card.arguments
        assert character not in card.title
    assert msgspec.json.decode(card.arguments) == {"text": "a\u202eb\u200bc\U000e0041!"}
    assert "⟦U+202E⟧" in card.title


async def test_M04_neither_a_tool_nor_a_key_says_yes(opened: Open, provider: FakeProvider) -> None:
    provider.raw(*call(("wipe", "all")))
    async with opened(Wiper().wipe()) as instance:
        _, _, card = await waiting(instance)
        answer = Answer("approve", card.hash)
        for someone in (
            replace(instance.person, by_a_tool=True),
            replace(instance.person, scopes=frozenset({"chat", "write"})),
        ):
            with pytest.raises(NeedsPerson):
                await instance.parts.approvals.answer(someone, card.id, answer)
        titles = await tasks(instance)

    assert titles == []


async def test_rules_that_have_changed_meanwhile_count(opened: Open, provider: FakeProvider) -> None:
    provider.raw(*call(("wipe", "all")))
    provider.reply("I may not.")
    async with opened(Wiper().wipe()) as instance:
        await _member(instance)
        started, entries, card = await waiting(instance)
        rules = '[{"tools":"wipe","decision":"deny","approver":"asker"}]'
        sql = "INSERT INTO tool_policies (organization_id, rules, updated_at) VALUES ('org_1', $1, $2)"
        await execute(instance.database, sql, rules, utc_now())
        await asyncio.sleep(2.1)  # as long as rules are remembered
        await say(instance, card)
        await instance.follow(started.run.id, entries[-1].id)
        part, _ = await parts_of(instance, started.run.id)
        titles = await tasks(instance)

    assert (part.status, titles) == ("denied", [])
