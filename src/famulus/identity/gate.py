"""The gate: what stands between a stranger and a session. One per application."""

from dataclasses import dataclass, field

from famulus.identity.brake import Brake
from famulus.identity.passwords import Passwords


@dataclass(frozen=True, slots=True)
class Gate:
    """The password hasher and the brake on guessing."""

    passwords: Passwords = field(default_factory=Passwords)
    brake: Brake = field(default_factory=Brake)

    def close(self) -> None:
        """Let the hasher's threads end."""
        self.passwords.close()
