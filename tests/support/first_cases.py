"""`--first-cases`: of each test that has many cases only the first, for a look that takes a minute or two.

A test of the API has a case for each operation, one of a door a case for each door; what breaks one mostly breaks the first.
"""

import pytest

WHOLE = ("tests/test_house.py", "tests/test_docs.py")
"""Files each of whose cases is a check of its own."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--first-cases", action="store_true", help="of a test with many cases only the first")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the others out, after what other options leave out."""
    if not config.getoption("--first-cases"):
        return
    first = {item.nodeid.partition("[")[0]: item for item in reversed(items)}
    kept = [
        item
        for item in items
        if item.nodeid.startswith(WHOLE) or item is first[item.nodeid.partition("[")[0]]
    ]
    config.hook.pytest_deselected(items=list(set(items).difference(kept)))
    items[:] = kept
