"""How long a command may wait to be begun where whoever asked did not say, by its type.

What moves something, or asks how things are, is wanted now or never. What changes a board for good
is still wanted when a board that sleeps, or is away, is back. It is no longer than that because a
board remembers each command until it has expired, and has room for 64.
"""

MOMENT_SECONDS = 60
LASTING_SECONDS = 24 * 3600

LASTING = (
    "update_config",
    "set_wake_schedule",
    "update_firmware",
    "send_image",
    "delete_image",
)


def life_of(command_type: str) -> int:
    """Seconds from when it was asked for until it is not wanted any more."""
    return LASTING_SECONDS if command_type in LASTING else MOMENT_SECONDS
