"""What a test does when a part of the machine is missing: skip at home, fail in a continuous check."""

import os
from typing import NoReturn

import pytest


def in_ci() -> bool:
    """Whether `CI` is set to anything but a no."""
    return os.environ.get("CI", "").lower() not in ("", "0", "false", "no")


def missing(part: str, remedy: str) -> NoReturn:
    """End the running test: `part` names what is not there, `remedy` what to install."""
    message = f"{part} is not available: {remedy}"
    if in_ci():
        pytest.fail(message, pytrace=False)
    pytest.skip(message)
