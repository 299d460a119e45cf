"""Waiting for the writer's answer, for so long and no longer."""

from concurrent.futures import Future
from typing import Any

from backend.errors import Busy, Slow

ANSWER_SECONDS = 10.0


def answered(answer: Future[Any]) -> Any:
    """What the writer says. Where it takes too long: Busy if it will not be done, else Slow."""
    try:
        return answer.result(ANSWER_SECONDS)
    except TimeoutError:
        if answer.cancel():
            raise Busy("busy", "this took too long and was not done; try again", 5) from None
        reason = (
            "this takes long and may have been done; repeat it with the same Idempotency-Key"
            " to learn of it"
        )
        raise Slow("slow", "", reason, 5) from None
