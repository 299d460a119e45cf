"""What a rule wants done: its action, or what clears it, as a command."""

import json
from typing import Any

from protocol import ProtocolError
from protocol.catalogue import VERBS
from protocol.verbs import DOSE, case_of

from backend.automations.executions import KIND
from backend.automations.models import ON_CROSSED, Automation
from backend.delivery.priorities import RULE_MAX
from backend.delivery.queueing import SYSTEM
from backend.delivery.wishes import NewCommand


def parsed(rule: Automation, trigger: str) -> dict[str, Any]:
    """What a trigger is to do; see models.Automation."""
    found: dict[str, Any] = json.loads(rule.action if trigger == ON_CROSSED else rule.clear_action)
    return found


def cause_of(rule: Automation) -> str:
    """The rule, as the causes of its commands begin."""
    return f"{KIND}/{rule.id}"


def command_for(rule: Automation, trigger: str, execution_id: int) -> NewCommand:
    """The command of an execution, which is made once however often it is asked for."""
    return command_of(parsed(rule, trigger), rule.priority, f"{cause_of(rule)}/{execution_id}")


def command_of(action: dict[str, Any], priority: int, cause: str) -> NewCommand:
    """The same of any action."""
    return NewCommand(
        action["board_id"],
        action["command_type"],
        action.get("target", ""),
        action.get("parameters", {}),
        action.get("expires_in"),
        SYSTEM,
        cause or None,
        cause=cause,
        priority=min(priority, RULE_MAX),
    )


def effects(rule: Automation) -> tuple[str, str]:
    """(board, target) of the action of a rule that has one."""
    action = parsed(rule, ON_CROSSED)
    return action["board_id"], action.get("target", "")


def is_dose(command_type: str, parameters: dict[str, Any]) -> bool:
    """Whether doing it twice may do harm; where nobody knows, it may."""
    try:
        return command_type not in VERBS or bool(case_of(command_type, parameters).kind == DOSE)
    except ProtocolError:  # another dialect may have a word of ours, and mean something else
        return True
