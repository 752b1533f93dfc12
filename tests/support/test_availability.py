"""A missing part skips a test at home and fails it where everything has to be there."""

import pytest

from tests.support.availability import missing


@pytest.mark.parametrize(
    ("ci", "outcome"), [("", pytest.skip), ("false", pytest.skip), ("true", pytest.fail), ("1", pytest.fail)]
)
def test_what_a_missing_part_does(monkeypatch: pytest.MonkeyPatch, ci: str, outcome: type) -> None:
    monkeypatch.setenv("CI", ci)

    with pytest.raises(outcome.Exception, match="Chromium is not available: install it"):
        missing("Chromium", "install it")
