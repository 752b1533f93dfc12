"""The bus: who hears what, in which order, and that one listener's failure is its own."""

from dataclasses import dataclass

from structlog.testing import capture_logs

from famulus.kernel.bus import Bus


@dataclass(frozen=True)
class Happened:
    name: str


@dataclass(frozen=True)
class HappenedToo(Happened):
    pass


async def test_listeners_hear_events_of_their_type_in_order() -> None:
    bus, heard = Bus(), list[str]()

    async def slowly(event: Happened) -> None:
        heard.append(f"slowly {event.name}")

    bus.subscribe(Happened, lambda event: heard.append(event.name))
    bus.subscribe(Happened, slowly)
    await bus.publish(Happened("a"), Happened("b"))

    assert heard == ["a", "slowly a", "b", "slowly b"]


async def test_a_subtype_is_another_type() -> None:
    bus, heard = Bus(), list[Happened]()
    bus.subscribe(Happened, heard.append)

    await bus.publish(HappenedToo("a"), "something else")

    assert heard == []


async def test_a_failing_listener_is_logged_and_the_others_still_hear() -> None:
    bus, heard = Bus(), list[str]()

    def fail(_event: Happened) -> None:
        raise RuntimeError("broken")

    bus.subscribe(Happened, fail)
    bus.subscribe(Happened, lambda event: heard.append(event.name))
    with capture_logs() as logged:
        await bus.publish(Happened("a"))

    assert heard == ["a"]
    assert [(line["event"], line["event_type"]) for line in logged] == [("listener_failed", "Happened")]
