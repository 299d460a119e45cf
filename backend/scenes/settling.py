"""What puts the boards of a run into their safe state, also after the backend was killed."""

import json
from typing import Any

from peewee import fn

from backend.database import store
from backend.delivery.lifecycle import PENDING
from backend.delivery.part import Orders
from backend.delivery.queueing import SYSTEM
from backend.delivery.work import Work
from backend.scenes import rows
from backend.scenes.asked import Asked
from backend.scenes.cast import Cast, Order, obeyed
from backend.scenes.plan import Plan, plan_of
from backend.scenes.rows import SceneRun, SceneStep
from backend.scenes.schema import CHANNELS, CONTINUE, SAFE
from backend.scenes.steps import Steps

SAFE_STATE = "safe state"


def safe_orders(cast: Cast, plan: Plan, touched: list[tuple[str, str]]) -> list[Order]:
    """What puts the boards of a run into their safe state."""
    if plan.safe_state is not None:
        wanted = (one for one in plan.safe_state if one.kind not in CHANNELS)
        return [order for one in wanted for order in obeyed(cast, one)[0]]
    return [order for place in touched if (order := cast.off(place)) is not None]


def settle_left(work: Work, orders: Orders, steps: Steps) -> None:
    """End the runs of a backend that was killed: see the rules of this package."""
    why = "the backend ended before there was an answer"
    SceneStep.update(status=rows.SILENT, detail=why).where(SceneStep.status == rows.SENT).execute()
    waiting = SceneStep.status == rows.WAITING
    for step in SceneStep.select().where(waiting & (SceneStep.place == SAFE_STATE)):
        steps.adopt(work, step)
    for row in list(SceneRun.select().where(SceneRun.status << rows.GOING)):
        mine = SceneStep.run_id == row.id
        made = list(SceneStep.select().where(mine & SceneStep.command_id.is_null(False)))
        for command in work.take(store.by_ids([str(one.command_id) for one in made])):
            if command["status"] == PENDING:
                orders.call_off(work, command, SYSTEM)
        lost = {"status": rows.NOT_SENT, "detail": why}
        SceneStep.update(lost).where(mine & waiting).execute()
        reason = "the backend ended while it ran"
        ended = {"status": rows.INTERRUPTED, "ended_at": work.now, "reason": reason}
        SceneRun.update(ended).where(SceneRun.id == row.id).execute()
        _make_safe(work, orders, steps, row, [(one.board_id, one.target) for one in made])


def _make_safe(
    work: Work, orders: Orders, steps: Steps, row: Any, places: list[tuple[str, str]]
) -> None:
    plan = plan_of(json.loads(row.definition))
    if plan.on_interrupt != SAFE:
        return
    numbers = SceneStep.select(fn.MAX(SceneStep.number)).where(SceneStep.run_id == row.id)
    last = numbers.scalar() or 0
    touched = [place for place in dict.fromkeys(places) if place[1]]
    cast = Cast(orders.roster, row.site, plan)
    for number, order in enumerate(safe_orders(cast, plan, touched), last + 1):
        text = f"{order.board_id} {order.target} off"
        about = (row.id, row.scene_id, number, row.state, SAFE_STATE, text, work.now, CONTINUE)
        steps.send(work, Asked(*about, must=True), order)
