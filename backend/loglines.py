"""What a log line looks like: text, or a JSON object; never with a password in it.

A JSON line has `time` (ISO 8601, UTC, ms), `level`, `logger`, `message`, what a line is about
where that is known (`board`, `command`, `site`, as given by `extra=`), and `exception`.
"""

import json
import logging
import sys
import time
from typing import Any

from backend.cli.configuration import masked

SUBJECTS = ("board", "command", "site", "user")


class TextLine(logging.Formatter):
    """`2026-07-12 10:00:00,123 INFO backend.brokers.mqtt: connected`."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        return masked(super().format(record))


class JsonLine(logging.Formatter):
    """An object a line; see the first lines of this file."""

    def format(self, record: logging.LogRecord) -> str:
        at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line: dict[str, Any] = {
            "time": f"{at}.{int(record.msecs):03d}Z",
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {name: getattr(record, name) for name in SUBJECTS if getattr(record, name, None)}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        # Masked before it is JSON: a quote or a backslash belongs to what is masked.
        safe = {name: masked(str(value)) for name, value in line.items()}
        return json.dumps(safe, ensure_ascii=False)


def begin(level: str, layout: str) -> None:
    """Log from now on, to standard error, unless whoever calls does so already."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLine() if layout == "json" else TextLine())
    logging.basicConfig(level=level, handlers=[handler])
    logging.getLogger("peewee").setLevel(logging.INFO)  # else it logs secrets with their queries
