"""restart: everything safe, and nothing new is begun; farewell.py does the rest."""

from .journal import RESTARTING
from .work import RESTART_S


def begin(commands, journal, answers, message, now_ms):
    """Write it down, and say so. Returns whether that is on flash."""
    command_id = message["command_id"]
    if not journal.begin(command_id, message["expires_at"], RESTARTING):
        return False
    commands.restarting = True
    commands.set_safe(now_ms)
    answers.accepted(command_id, RESTART_S, now_ms)
    return True
