"""How long a model may take."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Time limits of one answer, in seconds."""

    connect: float = 10.0
    first_byte: float = 60.0
    """From sending the request to the first byte of the answer's body."""
    idle: float = 60.0
    """Between two reads."""
    whole: float = 600.0
    """For one answer in all."""
