"""Parsing beside the server: what a bad file costs, and what it does not."""

import os
import signal
from pathlib import Path

from famulus.knowledge.blocks import Parsed, Unreadable
from famulus.knowledge.files import FileRef, Limits
from famulus.knowledge.pool import FEW, Outcome, parse_each
from famulus.knowledge.walk import survey
from tests.knowledge.papers import pdf, write


def many(folder: Path, count: int) -> list[FileRef]:
    write(folder, {f"{n:03}.md": f"# Number {n}\n\nText {n}." for n in range(count)})
    return survey(folder, Limits()).files


async def outcomes(refs: list[FileRef], limits: Limits | None = None) -> dict[str, Outcome]:
    found: dict[str, Outcome] = {}

    async def deliver(ref: FileRef, outcome: Outcome) -> None:
        found[ref.path] = outcome

    await parse_each(refs, limits or Limits(), deliver)
    return found


def workers() -> list[int]:
    """Processes of this one that parse."""
    found: list[int] = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            parent = int((entry / "stat").read_text().rsplit(") ", 1)[1].split()[1])
            command = (entry / "cmdline").read_bytes()
        except (OSError, IndexError):
            continue
        if parent == os.getpid() and b"famulus.knowledge.worker" in command:
            found.append(int(entry.name))
    return found


async def test_few_files_need_no_process(tmp_path: Path) -> None:
    seen: list[int] = []

    async def deliver(ref: FileRef, outcome: Outcome) -> None:
        seen.extend(workers())

    await parse_each(many(tmp_path, FEW), Limits(), deliver)

    assert seen == []


async def test_many_files_are_shared_among_processes_that_end(tmp_path: Path) -> None:
    found = await outcomes(many(tmp_path, FEW + 10))

    assert len(found) == FEW + 10
    assert all(isinstance(outcome, Parsed) for outcome in found.values())
    assert workers() == []


async def test_a_parser_that_dies_costs_one_file_each(tmp_path: Path) -> None:
    found: dict[str, Outcome] = {}

    async def deliver(ref: FileRef, outcome: Outcome) -> None:
        if not found:
            for process in workers():
                os.kill(process, signal.SIGKILL)
        found[ref.path] = outcome

    await parse_each(many(tmp_path, FEW + 10), Limits(), deliver)

    lost = [outcome for outcome in found.values() if isinstance(outcome, Unreadable)]
    assert len(found) == FEW + 10
    assert 1 <= len(lost) <= 4
    assert {outcome.reason for outcome in lost} == {"The parser broke down over this file."}
    assert {outcome.content_hash for outcome in lost} == {""}


async def test_a_file_that_takes_too_long_is_given_up(tmp_path: Path) -> None:
    write(tmp_path, {"slow.pdf": pdf([["words"]])})

    # Not even the process has started within a millisecond.
    found = await outcomes(survey(tmp_path, Limits()).files, Limits(seconds=0.001))

    assert found == {"slow.pdf": Unreadable("This file took longer than 0.001 seconds to read.")}
    assert workers() == []


async def test_a_pdf_is_read_in_a_process_of_its_own(tmp_path: Path) -> None:
    write(tmp_path, {"a.pdf": pdf([["wheels"]]), "b.md": "axles"})

    found = await outcomes(survey(tmp_path, Limits()).files)

    assert [getattr(found[name], "pieces", [None])[0].text for name in ("a.pdf", "b.md")] == [
        "wheels",
        "axles",
    ]


async def test_what_the_receiver_raises_ends_it_all(tmp_path: Path) -> None:
    async def deliver(ref: FileRef, outcome: Outcome) -> None:
        raise LookupError(ref.path)

    refs = many(tmp_path, FEW + 10)
    try:
        await parse_each(refs, Limits(), deliver)
    except LookupError as error:
        raised = str(error)
    else:
        raised = ""

    assert raised.endswith(".md")
    assert workers() == []
