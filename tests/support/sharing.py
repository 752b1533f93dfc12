"""How processes share the tests: what a file asks of one database stays together, and what takes long begins first.

So a server that a file starts is started once, and the one that all tests share changes its database once a process. Where
each test takes long and makes all that it needs, they are shared out one by one.
"""

from collections.abc import Sequence
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

LONG = ("browser", "crash", "slow")
"""Marks of what takes long: begun last, it would keep one process busy while the others have nothing left to do."""
TOGETHER = ("tests/browser/",)
"""Folders whose files share a server, and a browser's appetite."""

APART = ("tests/attacks/test_fuzzing.py", "tests/crash/test_storms.py")
"""Files whose tests have nothing in common and take long."""


class ByFile(LoadScopeScheduling):
    """Each process takes the next file when it is through with its own."""

    def _split_scope(self, nodeid: str) -> str:
        path, _, name = nodeid.partition("::")
        if path in APART:
            return nodeid
        database = "postgres" if "postgres" in name.partition("[")[2] else ""
        return next((folder for folder in TOGETHER if path.startswith(folder)), f"{path} {database}")


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile:
    """Called where the tests are handed out."""
    config.option.loadscopereorder = False
    return ByFile(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with anything that takes long come first, browsers before all others."""
    items.sort(key=_places(items).__getitem__)


def _places(items: Sequence[pytest.Item]) -> dict[pytest.Item, int]:
    first: dict[str, int] = {}
    for item in items:
        marked = [place for place, mark in enumerate(LONG) if item.get_closest_marker(mark)]
        file = item.nodeid.partition("::")[0]
        first[file] = min([*marked, first.get(file, len(LONG))])
    return {item: first[item.nodeid.partition("::")[0]] for item in items}
