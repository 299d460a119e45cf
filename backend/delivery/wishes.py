"""What is asked of the backend: a new command, or that one should not run. Plain data.

Who asks: `user`, what they have shown (`via`, see credentials.Identity), the address it comes from
(`source`) and why (`reason`).
"""

from dataclasses import dataclass
from typing import Any

from backend.database.models import MANUAL_COMMAND


@dataclass(frozen=True, slots=True)
class NewCommand:
    """A command as it was asked for. `expires_in` is in seconds, or None for the default.

    `cause`: the rule of the backend that made it, "" where somebody asked; `priority`: see
    models.Command; `conditions`: what must hold on the board when it begins.
    """

    board_id: str
    command_type: str
    target: str
    parameters: dict[str, Any]
    expires_in: int | None
    user: str
    idempotency_key: str | None = None
    source: str = ""
    reason: str = ""
    via: str = ""
    cause: str = ""
    priority: int = MANUAL_COMMAND
    conditions: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Cancellation:
    """The wish that a command should not, or no longer, run; see NewCommand."""

    command_id: str
    user: str
    source: str = ""
    reason: str = ""
    via: str = ""

    @property
    def detail(self) -> dict[str, str]:
        """Whence and why, as the command's history has it."""
        said = {"source": self.source, "via": self.via, "reason": self.reason}
        return {name: value for name, value in said.items() if value}
