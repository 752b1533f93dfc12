"""Kills of the real server on both databases, and proof that a broken server would be noticed."""

from pathlib import Path

import pytest

from tests.crash.server import HASTY, LOOSE, Server
from tests.crash.storm import Plan, storm

KILLS = (
    Plan("accept.committed", 2),
    Plan("text", 30),
    Plan("ack"),
    Plan("tool.called"),
    Plan("tool.effect"),
    Plan("tool.kept"),
    Plan("tool.finished", 2),
    Plan("approval.before"),
    Plan("approval.committed"),
    Plan("finish.before"),
    Plan("pulse.committed", 2),
)


@pytest.mark.crash
@pytest.mark.slow
async def test_D02_nothing_is_lost_doubled_or_out_of_order(database_url: str, tmp_path: Path) -> None:
    server = Server(tmp_path, database_url, lease=1.0)

    report = await storm(server, KILLS, people=3)

    assert report.violations == [], server.tail()
    assert len(report.kills) == len(KILLS)
    assert report.counts()["taken over"] > 0


@pytest.mark.crash
@pytest.mark.slow
@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_a_server_that_acknowledges_before_its_commit_is_caught(
    tmp_path: Path, database_url: str
) -> None:
    server = Server(tmp_path, database_url, lease=1.0, program=HASTY)

    report = await storm(server, [Plan("ack"), Plan("ack")], people=2)

    assert [problem for problem in report.violations if problem.startswith("lost")]


@pytest.mark.crash
@pytest.mark.slow
@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_D02_a_server_whose_effects_are_apart_from_their_results_is_caught(
    tmp_path: Path, database_url: str
) -> None:
    server = Server(tmp_path, database_url, lease=1.0, program=LOOSE)

    report = await storm(server, [Plan("tool.effect"), Plan("tool.effect", 2)], people=2)

    assert [problem for problem in report.violations if problem.startswith("effect")]
