"""A rollout goes to a few boards first, at its rate, and stops by itself where it does harm."""

from typing import Any

import pytest

from backend.database.models import Command
from backend.database.retention import Sweep
from backend.errors import Refusal
from backend.fleet.provisioning import Mapping, Retirement
from backend.rollouts.rows import Rollout, RolloutBoard
from backend.rollouts.wishes import Abort, Pause, Resume
from tests.backend.fleet import done, refusal, site
from tests.rollouts.squad import BASE, NEW, Squad, added


def test_a_good_release_reaches_all_after_the_canary(squad: Squad) -> None:
    begun = squad.begin(at_once=3)
    assert begun["state"] == "active" and begun["states"]["waiting"] == 10
    assert squad.counts() == {"waiting": 8, "sent": 2}
    (order,) = squad.ordered("b1")
    assert order["version"] == NEW and order["url"].startswith(f"{BASE}/firmware/b1/")
    squad.answer("b1", "accepted")
    assert squad.states()["b1"] == "downloading"
    squad.install("b2")
    assert squad.states()["b2"] == "trial" and squad.counts()["waiting"] == 8
    squad.good("b1", "b2")
    assert squad.counts() == {"waiting": 5, "sent": 3, "running": 2}
    for name in squad.names[2:]:
        squad.good(name)
    assert squad.counts() == {"running": 10}
    shown = squad.shown("b7")
    assert (shown["firmware"], shown["slot"], shown["slot_state"]) == (NEW, "b", "confirmed")
    goes = squad.goes()
    assert (goes["state"], goes["ended_at"], goes["bad"]) == ("done", squad.now, 0)
    assert all(len(squad.ordered(name)) == 1 for name in squad.names)


def test_a_bad_one_is_stopped_by_the_canary_and_nobody_else_is_touched(squad: Squad) -> None:
    squad.begin(canary=3, error_share=50)
    squad.bad("b1")
    squad.good("b2")
    assert squad.goes()["state"] == "active" and squad.counts()["waiting"] == 7
    squad.bad("b3")
    goes = squad.goes()
    assert goes["state"] == "stopped" and "2 of 3 boards went wrong" in goes["why"]
    assert squad.counts() == {"running": 1, "rolled_back": 2, "untouched": 7}
    assert squad.shown("b1")["why"] == "RuntimeError('no',)"
    assert goes["ended_at"] is not None and not squad.ordered("b4")
    assert not isinstance(squad.begin(), Refusal)  # they may be in the next one


def test_after_the_canary_it_stops_at_the_share_and_what_is_under_way_ends(squad: Squad) -> None:
    squad.begin(canary=1, at_once=9, error_share=20, min_finished=5)
    squad.good("b1")
    squad.good("b2")
    squad.install("bA")
    squad.bad("b3", "b4")
    assert squad.goes()["state"] == "active"
    squad.good("b5")
    assert squad.goes()["state"] == "stopped" and squad.goes()["ended_at"] is None
    asked = [one for kind, one in squad.sent() if kind == "cancel"]
    assert asked == [squad.shown(name)["command_id"] for name in ("b6", "b7", "b8", "b9")]
    squad.answer("b6", "failed", "never")
    squad.answer("b7", "accepted")  # it had it; its files are not served any more
    squad.answer("b7", "failed", "download")
    assert squad.states()["b6"] == squad.states()["b7"] == "cancelled"
    squad.arrive("bA", boot="2", firmware=NEW, slot="b", slot_state="confirmed")
    squad.answer("b8", "failed", "never")
    squad.answer("b9", "failed", "never")
    assert squad.goes()["ended_at"] and squad.counts() == {
        "running": 4, "rolled_back": 2, "cancelled": 4
    }  # fmt: skip


def test_so_many_a_minute(squad: Squad) -> None:
    squad.begin(canary=0, per_minute=4)
    assert squad.counts() == {"waiting": 9, "sent": 1}
    assert squad.core.parts.rollouts.next_due() == squad.now + 15_000
    squad.later(14)
    assert squad.counts()["sent"] == 1
    squad.later(15)
    assert squad.counts()["sent"] == 2


def test_it_is_paused_resumed_and_aborted(squad: Squad) -> None:
    squad.begin()
    assert done(squad, Pause(squad.rollout))["state"] == "paused"
    squad.good("b1", "b2")
    assert squad.counts() == {"waiting": 8, "running": 2}
    assert refusal(squad, Pause(squad.rollout)) == ("not_possible", "rollout")
    assert done(squad, Resume(squad.rollout))["state"] == "active"
    assert squad.counts()["sent"] == 8
    squad.answer("b3", "accepted")
    squad.answer("b3", "completed")
    done(squad, Abort(squad.rollout, "ann"))
    assert squad.goes()["state"] == "aborted" and squad.goes()["ended_at"] is None
    assert refusal(squad, Resume(squad.rollout)) == ("not_possible", "rollout")
    assert refusal(squad, Abort(squad.rollout, "ann")) == ("not_possible", "rollout")
    squad.at(3600).tick()
    assert squad.counts() == {"running": 2, "no_answer": 8} and squad.goes()["ended_at"]


def test_who_is_away_gets_it_when_it_comes_or_not_at_all(squad: Squad) -> None:
    squad.leave(*squad.names[1:])
    squad.begin(canary=1, deadline_s=600)
    squad.good("b1")
    assert squad.counts() == {"waiting": 9, "running": 1}
    squad.at(500)
    squad.arrive("b2", boot="5")
    assert squad.states()["b2"] == "sent"
    squad.arrive("b3", boot="5")
    done(squad, Pause(squad.rollout))
    squad.at(590)
    squad.arrive("b4", boot="5")
    squad.at(600).tick()
    assert squad.counts() == {"running": 1, "sent": 2, "no_answer": 6, "untouched": 1}
    assert "its turn did not come" in squad.shown("b4")["why"]
    assert squad.goes()["bad"] == 0  # nothing was ever sent to them
    squad.at(500 + 3600).tick()
    goes = squad.goes()
    assert (goes["bad"], goes["finished"]) == (2, 3) and goes["ended_at"]
    assert squad.shown("b2")["why"] == "it did not answer the command"
    assert squad.stands({"id": squad.shown("b2")["command_id"]}) != "PENDING"


AGAIN = [("failed", "download"), ("rejected", "busy"), ("unknown", "interrupted")]


@pytest.mark.parametrize(("state", "error"), AGAIN)
def test_what_may_do_better_is_given_again_a_few_times(
    squad: Squad, state: str, error: str
) -> None:
    squad.begin(canary=1)
    for attempt, seconds in ((1, 30), (2, 90), (3, 90)):
        assert squad.shown("b1")["attempt"] == attempt
        if state != "rejected":
            squad.answer("b1", "accepted")
        squad.answer("b1", state, error)
        if attempt < 3:
            assert squad.states()["b1"] == "waiting"
            squad.later(seconds)
    assert squad.states()["b1"] == ("refused" if state == "rejected" else "failed")
    assert squad.goes()["state"] == "stopped"
    assert len({str(one) for one in squad.ordered("b1")}) == 1
    keys = [row.idempotency_key for row in Command.select().where(Command.board_id == "b1")]
    assert len(set(keys)) == 3


@pytest.mark.parametrize(
    ("state", "error", "ends"),
    [("failed", "no_space", "failed"), ("failed", "bad_release", "failed"),
     ("rejected", "unknown_type", "refused")],
)  # fmt: skip
def test_what_would_fail_again_is_not_repeated(
    squad: Squad, state: str, error: str, ends: str
) -> None:
    squad.begin(canary=1)
    if state == "failed":
        squad.answer("b1", "accepted")
    squad.answer("b1", state, error)
    shown = squad.shown("b1")
    assert (shown["state"], shown["attempt"]) == (ends, 1) and shown["why"]
    assert squad.goes()["state"] == "stopped"


def test_a_rollback_of_long_ago_says_nothing_of_this_trial(squad: Squad) -> None:
    squad.arrive("b1", "b2", boot="0", slot_state="rolled_back: watchdog")
    squad.begin()
    squad.arrive("b1", boot="0", slot_state="rolled_back: watchdog", session=2)
    assert squad.states()["b1"] == "sent"
    squad.answer("b1", "completed", boot="0")
    squad.arrive("b1", boot="0", slot_state="rolled_back: watchdog", session=3)
    assert squad.states()["b1"] == "trial"
    squad.arrive("b1", boot="9", slot_state="rolled_back: watchdog")
    assert squad.states()["b1"] == "rolled_back"


def test_a_trial_is_as_old_as_it_is_whatever_the_board_says_meanwhile(squad: Squad) -> None:
    squad.begin()
    squad.install("b1")
    since = squad.shown("b1")["updated_at"]
    squad.at(30)
    squad.arrive("b1", boot="2", firmware=NEW, slot="b", slot_state="trial")
    assert squad.shown("b1")["updated_at"] == since
    squad.at(60)
    squad.arrive("b1", boot="2", firmware=NEW, slot="b", slot_state="confirmed")
    assert squad.shown("b1")["state"] == "running"


def test_a_result_that_comes_after_the_trial_is_judged_in_the_end_at_least(squad: Squad) -> None:
    said = "rolled_back: no broker"
    squad.arrive("b2", boot="0", slot_state=said)
    squad.begin()
    squad.arrive("b1", "b2", boot="7", slot_state=said)
    squad.answer("b1", "completed", boot="7")  # asked, its journal tells; nothing came before
    squad.answer("b2", "completed", boot="7")
    assert (squad.states()["b1"], squad.states()["b2"]) == ("rolled_back", "trial")
    squad.at(3600).tick()
    assert (squad.states()["b2"], squad.shown("b2")["why"]) == ("rolled_back", "no broker")


def test_a_backend_that_dies_in_the_middle_goes_on_and_doubles_nothing(squad: Squad) -> None:
    squad.begin(canary=1, at_once=3)
    for name in squad.names:
        squad.restart()
        squad.arrive(*squad.names, boot="1", session=2) if name == "b1" else squad.tick()
        squad.install(name)
        squad.restart()
        squad.arrive(name, boot="2", firmware=NEW, slot="b", slot_state="confirmed", session=2)
        squad.arrive(*[one for one, state in squad.states().items() if state == "waiting"],
                     session=3)  # fmt: skip
    assert squad.counts() == {"running": 10} and squad.goes()["state"] == "done"
    assert all(len(squad.ordered(name)) == 1 for name in squad.names)


def test_a_clock_that_is_set_moves_no_deadline(squad: Squad) -> None:
    squad.begin(canary=1)
    squad.now += 7_200_000
    squad.core.clock_set(7_200_000, squad.now)
    squad.tick()
    assert squad.counts() == {"waiting": 9, "sent": 1}
    squad.now += 3_600_000
    squad.tick()
    assert squad.states()["b1"] == "no_answer"


@pytest.mark.parametrize(
    ("wanted", "more", "error"),
    [
        ({"label": "none"}, {}, ("no_boards", "selection")),
        ({"boards": ["pond"]}, {}, ("no_boards", "selection")),
        ({"boards": ["b1"]}, {"release": "older"}, ("downgrade", "selection")),
        ({"boards": ["b1"]}, {"release": "other"}, ("no_boards", "selection")),
        ({"boards": ["b1"]}, {"release": "none"}, ("unknown_release", "release")),
    ],
)
def test_what_can_not_be_is_refused(
    squad: Squad, wanted: dict[str, Any], more: dict[str, str], error: tuple[str, str]
) -> None:
    made = {
        "older": added(squad.folder, version="0.0.9"),
        "other": added(squad.folder, version="0.3.0", build="ESP32_GENERIC"),
    }
    release = more.get("release", "")
    why = squad.begin(wanted, made.get(release, release))
    assert isinstance(why, Refusal) and (why.code, why.field) == error
    if release == "older":
        squad.begin(wanted, made["older"], allow_downgrade=True)
        assert squad.states() == {"b1": "sent"}


def test_a_board_is_in_one_rollout_at_a_time(squad: Squad) -> None:
    first = squad.begin({"boards": ["b1", "b2"]})["id"]
    why = squad.begin({"site": "lake"})
    assert isinstance(why, Refusal) and why.code == "in_rollout"
    assert "b1, b2" in why.reason and f"rollout {first}" in why.reason
    squad.begin({"boards": ["b3"]})
    assert squad.states() == {"b3": "sent"}


def test_who_has_it_or_is_of_another_kind_is_left_out(squad: Squad) -> None:
    squad.arrive("b1", boot="2", firmware=NEW)
    squad.arrive("b2", boot="2", board="ESP32_GENERIC")
    begun = squad.begin()
    assert set(begun["skipped"]) == {"b1", "b2"} and "b3" in squad.states()
    assert len(squad.states()) == 8


def test_what_a_board_has_become_meanwhile_counts(squad: Squad) -> None:
    squad.begin(canary=1)
    squad.arrive("b2", boot="2", firmware=NEW)
    squad.arrive("b3", boot="2", firmware="0.3.0")
    squad.arrive("b4", boot="2", board="ESP32_GENERIC")
    squad.arrive("b5", boot="2", firmware=NEW, slot_state="trial")
    squad.good("b1")
    states = squad.states()
    assert [states[name] for name in ("b2", "b3", "b4", "b5", "b6")] == [
        "running", "refused", "refused", "waiting", "sent"
    ]  # fmt: skip
    assert squad.goes()["finished"] == 1  # nothing was sent to the others
    squad.arrive("b5", boot="2", firmware=NEW, slot_state="confirmed")
    assert squad.states()["b5"] == "running"
    assert not any(squad.ordered(name) for name in ("b2", "b3", "b4", "b5"))


def test_a_board_that_is_retired_is_not_sent_it(squad: Squad) -> None:
    squad.begin(canary=1, deadline_s=300)
    done(squad, Retirement("b2", "ann"))
    squad.good("b1")
    squad.later(300)
    assert squad.states()["b2"] == "no_answer" and not squad.ordered("b2")


def test_a_board_that_has_left_the_site_is_not_sent_it(squad: Squad) -> None:
    squad.begin(canary=1)
    site("bay")
    done(squad, Mapping("b2", "bay", "ann"))
    squad.good("b1")
    assert squad.states()["b2"] == "refused" and not squad.ordered("b2")
    assert squad.shown("b2")["why"] == "it has left the site lake"


def test_old_rollouts_go_with_their_boards(squad: Squad) -> None:
    for _ in range(2):
        squad.begin({"boards": ["b1"]}, canary=1)
        done(squad, Abort(squad.rollout, "ann"))
        squad.answer("b1", "failed", "never")
    sweep = Sweep({"rollouts": 1})
    for days in (2, 3):
        for second in range(60):
            sweep.turn(squad.now + days * 86_400_000 + second * 1000, True)
    assert [row.id for row in Rollout.select()] == [squad.rollout]
    assert [row.rollout_id for row in RolloutBoard.select()] == [squad.rollout]
