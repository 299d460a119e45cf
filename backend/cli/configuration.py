"""The settings as people see them: which are in force and why, and the table of all there are.

Passwords are not shown: neither here, nor in the log.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from backend.delivery.masking import MASK
from backend.settings import SETTINGS, Given, Settings

_PASSWORD = re.compile(r"(://[^/@\s:]*:)[^/@\s]+(?=@)")
_TOKEN = re.compile(r"\bab_[\w-]{16,}|(?<=Bearer )[\w.~+/=-]{8,}")


def masked(text: str) -> str:
    """Text without the passwords of addresses in it, and without tokens."""
    return _TOKEN.sub(MASK, _PASSWORD.sub(rf"\1{MASK}", text))


def shown(value: Any) -> str:
    """A value as it could stand in the environment, its password masked."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return masked(str(value))


def effective(options: Settings, found: Mapping[str, Given]) -> str:
    """One line for each setting: NAME=value, and where that was set."""
    lines = []
    for name, field in SETTINGS.items():
        source = found[name].source if name in found else "default"
        lines.append(f"{name}={shown(getattr(options, field.name))}  # {source}")
    return "\n".join(lines)


def table() -> str:
    """All settings as a Markdown table."""
    lines = ["| variable | default | |", "|---|---|---|"]
    for name, field in SETTINGS.items():
        default = shown(field.default)
        lines.append(
            f"| `{name}` | {f'`{default}`' if default else ''} | {field.metadata['about']} |"
        )
    return "\n".join(lines)


def exposed(found: Mapping[str, Given]) -> list[Path]:
    """Files with settings that others than their owner may read, though a password is in them."""
    files = {Path(given.source) for given in found.values() if masked(given.text) != given.text}
    return [path for path in files if path.is_file() and path.stat().st_mode & 0o077]
