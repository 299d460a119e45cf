"""How exactly scenes are played: planned against heard, on a real broker, with a load beside.

    python -m tools.scene_timing --seconds 60 --rate 100

Each step is timed where a client of the broker hears it, so the broker's own way is in it.
"""

import argparse
import random
import sys
import time
from datetime import datetime
from typing import Any

from protocol import decode
from protocol.signature import key_from_hex
from protocol.topics import COMMANDS, topic

from tools.bench_boards import TARGETS
from tools.bench_mqtt import make_client, subscribe_then
from tools.bench_site import Site, running
from tools.chaos_http import until

EACH_S = 0.25
STATES = 4
LIMIT_MS = 20.0


def scene_of(board: str, seconds: float, seed: int) -> Any:
    """A scene of STATES states, with a step every EACH_S or so, for so many seconds."""
    rng, lasts = random.Random(seed), seconds / STATES
    count = int(lasts / EACH_S)

    def step(index: int) -> Any:
        at = round((index + rng.random() * 0.8) * EACH_S, 3)
        target = TARGETS[index % len(TARGETS)]
        return {"at": at, "action": "command", "board": board, "command_type": "feed",
                "target": target, "parameters": {"amount": 1}}  # fmt: skip

    def state(number: int) -> Any:
        goto = f"S{number + 1}" if number + 1 < STATES else "END"
        leaves = [{"type": "timeout", "delay": lasts, "goto": goto}]
        return {"timeline": [step(index) for index in range(count)], "transitions": leaves}

    states = {f"S{number}": state(number) for number in range(STATES)}
    return {"sceneId": "timing", "initialState": "S0", "atEnd": "keep", "states": states}


class Ear:
    """Hears a board's commands beside it; `heard`: {command id: ms since 1970}."""

    def __init__(self, site: Site, board: str) -> None:
        self.heard: dict[str, float] = {}
        self._key = key_from_hex(site.keys[board]["key"])
        login = site.login(board)
        client = make_client(login, client_id="ear")
        client.on_message = self._note
        subscribe_then(client, topic(board, COMMANDS), lambda: None)
        client.connect(login.host, login.port)
        client.loop_start()
        self.stop = client.loop_stop

    def _note(self, client: Any, userdata: Any, message: Any) -> None:
        at = time.time() * 1000
        command = decode("command", message.payload, self._key)
        self.heard.setdefault(command["command_id"], at)


def deviations(site: Site, seconds: float, rate: float, seed: int) -> tuple[list[float], Any]:
    """(ms that each step was heard after its planned time, the run) of one scene."""
    board, *others = site.keys
    ear = Ear(site, board)
    status, told = site.api.call("POST", "scenes", {"scene": scene_of(board, seconds, seed)})
    if status != 201:
        raise ValueError(told)
    _, run = site.api.call("POST", "scenes/timing/start", {})
    if rate:
        targets = [(other, target) for target in TARGETS for other in others]
        site.load(seconds - 2, rate, targets=targets)
    path = f"scene-runs/{run['id']}"
    until(lambda: site.api.get(path)["status"] == "COMPLETED", seconds + 60)
    ear.stop()
    shown = site.api.get(path)
    return [ear.heard[one["command_id"]] - _ms(one["planned_at"]) for one in shown["steps"]], shown


def _ms(text: str) -> float:
    return datetime.fromisoformat(text).timestamp() * 1000


def summary(found: list[float]) -> str:
    """p50, p99 and worst of deviations."""
    ranked = sorted(found)
    part = {name: ranked[min(int(len(ranked) * share), len(ranked) - 1)]
            for name, share in (("p50", 0.5), ("p99", 0.99))}  # fmt: skip
    within = sum(abs(one) <= LIMIT_MS for one in found) / len(found)
    return (
        f"{len(found)} steps: p50 {part['p50']:.1f} ms, p99 {part['p99']:.1f} ms, "
        f"worst {ranked[-1]:.1f} ms, {within:.1%} within {LIMIT_MS:g} ms"
    )


def main(argv: list[str] | None = None) -> int:
    """Print what was measured; 1 where p99 is over the limit."""
    parser = argparse.ArgumentParser(prog="python -m tools.scene_timing", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--seconds", type=float, default=60, help="how long the scene is (60)")
    parser.add_argument("--rate", type=float, default=100, help="commands/s beside it (100)")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(argv)
    with running() as site, site.serving():
        found, run = deviations(site, given.seconds, given.rate, given.seed)
    published = [_ms(one["sent_at"]) - _ms(one["planned_at"]) for one in run["steps"]]
    print(f"{given.rate:g} commands/s beside")
    print(f"  published: {summary(published)}")
    print(f"  heard by a client of the broker: {summary(found)}")
    return 0 if sorted(published)[int(len(published) * 0.99)] <= LIMIT_MS else 1


if __name__ == "__main__":
    sys.exit(main())
