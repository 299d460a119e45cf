"""Passwords in commands: who may see them, and for how long they are kept.

Rules of this file:
- outside of the writer nobody sees them: what is shown is `masked`;
- as soon as a command can't be sent (again) any more, its row holds the masked form only;
- what is not known to be harmless is masked, so a mistyped name does not tell a password.
"""

import json
from typing import Any

from backend.delivery.lifecycle import PENDING, SENT

MASK = "***"

# The last part of the names of settings that anybody may read, such as wifi-0-ssid.
_HARMLESS = frozenset(
    ("ssid", "host", "port", "user", "tls", "ca", "ntp", "hold_s", "health_s", "trial_s")
)


def masked(command_type: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """The parameters of a command as they may be shown."""
    if command_type != "update_config":
        return parameters
    return {name: value if _harmless(name, value) else MASK for name, value in parameters.items()}


def why_secret(command_type: str, parameters: dict[str, Any]) -> str:
    """Why a command can't be kept for later, to be given again and again; "" where it can."""
    if masked(command_type, parameters) == parameters:
        return ""
    return "must hold no passwords, for they would be kept; send such a command by itself"


def _harmless(name: str, value: Any) -> bool:
    return type(value) is bool or value == "" or name.split("-")[-1] in _HARMLESS


def scrub(row: dict[str, Any]) -> bool:
    """Forget the passwords of a command that won't be sent any more; whether it had some."""
    if row["command_type"] != "update_config" or row["status"] in (PENDING, SENT):
        return False
    known, row["parameters"] = row["parameters"], _text(row)
    return bool(known != row["parameters"])


def _text(row: dict[str, Any]) -> str:
    return json.dumps(masked(row["command_type"], json.loads(row["parameters"])))
