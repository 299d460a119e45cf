"""What goes wrong on one day, each to the end; commands are given before, during and after it."""

from collections.abc import Callable
from contextlib import suppress

from tools.brokers import free_port
from tools.day_world import BOARD, World

AWAY_S = 20
NAP_S = 90
WRONG_S = 20  # the backend's clock, at most
LATE_SHARE, LATE_S = 0.3, 0.1

_WRITES = 12
_MOMENT_S = 0.2  # for a flash write to be reached


def broker_dies(world: World) -> None:
    """Killed in the middle of what was said, and back after a while."""
    world.post("feed")
    world.site.broker.kill()
    world.away(5)
    world.site.broker.start()


def half_open(world: World) -> None:
    """Nothing gets through, until the board gives the connection up."""
    proxy = world.site.proxy
    before = proxy.accepted
    proxy.silence(True)
    world.post("feed", "light")
    world.wait(lambda: proxy.accepted > before)
    proxy.drop()
    proxy.silence(False)


def lost(world: World) -> None:
    """What is on its way is lost, with the connection, twice."""
    for _ in range(2):
        world.post("feed")
        world.site.proxy.drop()
        world.wait(lambda: world.site.is_online(BOARD))


def late(world: World) -> None:
    """Much of what is said comes late."""
    world.site.proxy.delay(LATE_SHARE, LATE_S)
    world.post("feed", "ping")
    world.settle()
    world.site.proxy.delay(0, 0)


def wifi_gone(world: World) -> None:
    """No network for a while; what is measured meanwhile is kept."""
    world.board.set_wifi(False)
    world.site.proxy.drop()
    world.post("feed")
    world.away(AWAY_S)
    world.board.set_wifi(True)


def hub_gone(world: World) -> None:
    """The backend is killed, and started again after a while."""
    world.post("feed")
    world.site.backend.kill()
    world.away(AWAY_S)
    world.site.start_backend()


def clock_set(world: World) -> None:
    """Somebody sets the backend's clock, and the board is told at its next connection."""
    world.clock.set_wrong(world.random.randint(-WRONG_S, WRONG_S) * 1000)
    world.post("feed")
    world.settle()
    world.site.proxy.drop()


def power_cut(world: World) -> None:
    """At a flash write, or shortly after."""
    since = len(world.board.log)
    world.board.cut_at_write(world.random.randint(1, _WRITES))
    world.post("feed", "light")
    with suppress(TimeoutError):
        world.board.wait_for("power_cut", timeout=_MOMENT_S, since=since)
        world.report.count("flash writes torn")
    world.board.power_cut().cut_at_write(0)
    world.board.start().wait_for("boot", timeout=30, since=since)


def asleep(world: World) -> None:
    """It is sent to sleep, and woken by its own clock."""
    since = len(world.board.log)
    schedule = {"seconds": NAP_S, "quiet_s": 1, "awake_s": 20}
    world.say("set_wake_schedule", parameters=schedule)
    world.settle()
    world.say("sleep")
    world.happens("deepsleep", since)
    world.happens("boot", since)
    world.say("set_wake_schedule", parameters={"seconds": 0})


def asleep_alone(world: World) -> None:
    """It sleeps and wakes by its schedule while there is no broker, and is found again."""
    schedule = {"seconds": NAP_S, "quiet_s": 1, "awake_s": 5}
    world.say("set_wake_schedule", parameters=schedule)
    world.settle()
    world.site.broker.kill()
    for _ in range(2):
        since = len(world.board.log)
        world.happens("deepsleep", since)
        world.happens("boot", since)
    world.site.broker.start()
    world.say("set_wake_schedule", parameters={"seconds": 0}, expires_in=3600)


def settings_wrong(world: World) -> None:
    """New settings lose the link; the board takes them back."""
    world.settle()
    wrong = {"trial_s": 10, "hold_s": 77, "broker-port": free_port()}
    command = world.say("update_config", parameters=wrong)
    told = world.say("get_config")
    world.settle()
    found = world.site.api.command(command["id"])
    if found["error"] != "reverted":
        world.report.blame([f"wrong settings: {found['status']} {found['error']}"])
    if world.site.api.command(told["id"])["result"].get("hold_s") == 77:
        world.report.blame(["wrong settings are still there"])


def restart(world: World) -> None:
    """It is told to."""
    world.post("feed")
    world.say("restart")


# name -> (what happens, how often compared to others)
LASTING: dict[str, tuple[Callable[[World], None], int]] = {
    "broker killed": (broker_dies, 2),
    "half-open link": (half_open, 2),
    "messages lost": (lost, 4),
    "messages late": (late, 3),
    "Wi-Fi gone": (wifi_gone, 3),
    "hub killed": (hub_gone, 1),
    "clock set": (clock_set, 2),
    "settings wrong": (settings_wrong, 1),
}
RESTARTING: dict[str, tuple[Callable[[World], None], int]] = {
    "power cut": (power_cut, 4),
    "asleep": (asleep, 1),
    "asleep without a broker": (asleep_alone, 1),
    "restart": (restart, 1),
}
