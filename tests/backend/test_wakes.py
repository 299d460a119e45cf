"""When boards that sleep are wanted: by their site's cron, and told again whenever they start."""

from datetime import datetime
from zoneinfo import ZoneInfo

from backend.fleet import boards, sites, wakes
from backend.fleet.provisioning import Mapping
from tests.backend.conftest import START, Desk
from tests.backend.fleet import done, orders, queued, site

HOUR = 3_600_000
TWICE = "0 10,16 * * *"  # an hour and seven hours after START


def asleep_by_cron(desk: Desk) -> None:
    """The board `pond` was told when to wake, and has gone to sleep."""
    site(wake_cron=TWICE)
    desk.startup()
    done(desk, Mapping("pond", "lake", "ann", sleeps=True))
    desk.ack(queued()[0], "completed")
    desk.status("asleep", until=START // 1000 + 3600)


def next_wake() -> int | None:
    return boards.get("pond").next_wake_at


def test_each_wake_sets_the_next_and_tells_the_board(desk: Desk) -> None:
    asleep_by_cron(desk)
    assert next_wake() == START + HOUR
    desk.at(3605).startup("b2")
    assert next_wake() == START + 7 * HOUR
    order = queued()[-1]
    assert desk.sent() == [("set_wake_schedule", order["id"])]
    assert order["parameters"] == {
        "seconds": 18 * 3600,
        "wake_at": (START + 7 * HOUR) // 1000,
    }
    desk.startup("b2", 2)  # the link was lost: nothing new
    assert len(orders()) == 2


def test_one_that_wakes_a_little_early_is_due_at_the_next_when_it_leaves(desk: Desk) -> None:
    asleep_by_cron(desk)
    desk.at(3597).startup("b2")
    assert next_wake() == START + HOUR
    desk.at(3610).status("asleep", boot="b2", until=(START + 7 * HOUR) // 1000)
    assert next_wake() == START + 7 * HOUR


def test_one_that_does_not_come_stays_due_over_restarts(desk: Desk) -> None:
    asleep_by_cron(desk)
    desk.at(2 * 3600).restart()
    desk.at(2 * 3600 + 60).tick()  # long enough without a word
    board = desk.core.roster.get("pond")
    assert board and board.online is False
    assert board.next_wake_at == next_wake() == START + HOUR < desk.now


def test_an_order_that_came_too_late_is_taken_back_for_a_right_one(desk: Desk) -> None:
    site(wake_cron=TWICE)
    done(desk, Mapping("pond", "lake", "ann", sleeps=True))
    desk.at(2 * 3600).startup()
    assert orders() == [("set_wake_schedule", "CANCELLED"), ("set_wake_schedule", "SENT")]
    assert queued()[1]["parameters"]["wake_at"] == (START + 7 * HOUR) // 1000


def test_the_cron_is_in_the_sites_time_also_when_the_clocks_change(desk: Desk) -> None:
    site(wake_cron="30 2 * * *")
    rome = ZoneInfo("Europe/Rome")
    lake = sites.get("lake")

    def wakes_after(*day: int) -> list[str]:
        times = wakes.after(lake, int(datetime(*day, tzinfo=rome).timestamp() * 1000))  # type: ignore[arg-type,misc]
        return [
            f"{datetime.fromtimestamp(next(times) / 1000, rome):%d %H:%M %z}" for _ in range(3)
        ]

    assert wakes_after(2027, 3, 27) == ["27 02:30 +0100", "28 03:00 +0200", "29 02:30 +0200"]
    assert wakes_after(2027, 10, 30) == ["30 02:30 +0200", "31 02:30 +0200", "01 02:30 +0100"]


def test_a_rare_wake_is_told_in_steps_a_board_can_take(desk: Desk) -> None:
    site(wake_cron="0 0 1 1 *")
    assert wakes.schedule(sites.get("lake"), START)["seconds"] == 7 * 24 * 3600
