"""Rules at work: from readings to commands, and what is kept of that."""

import sqlite3

import pytest

from backend.automations import rules
from backend.database.store import Locked
from backend.errors import Invalid
from backend.fleet.alerts import Alert
from tests.automations.garden import FILL, OFF, ON, Garden
from tests.backend.conftest import START

SECRET = {"board_id": "pond", "command_type": "update_config",
          "parameters": {"wifi-0-password": "hush"}}  # fmt: skip


def test_noise_around_the_limit_is_one_command_each_way(garden: Garden) -> None:
    rule = garden.rule()
    for second, value in enumerate((6, 4.2, 3.9, 4.1, 3.8, 4.9, 4.3, 3.9)):
        garden.at(second).read(value)
        if value == 3.9 and second == 2:
            garden.done(seconds=600)
    assert garden.told(rule) == [("crossed", "COMPLETED", None)]
    garden.at(20).read(5.1)
    garden.done()
    for second, value in enumerate((4.8, 5.2, 4.1)):
        garden.at(30 + second).read(value)
    assert garden.told(rule) == [("crossed", "COMPLETED", None), ("cleared", "COMPLETED", None)]
    sent = [(row["command_type"], row["parameters"]) for row in garden.commands()]
    assert sent == [("switch", ON["parameters"]), ("switch", OFF["parameters"])]


def test_an_execution_and_its_command_know_each_other(garden: Garden) -> None:
    rule = garden.rule()
    garden.read(3.5)
    execution, command = garden.last(), garden.commands()[0]
    assert (execution["status"], execution["value"]) == ("EXECUTING", 3.5)
    assert execution["command_id"] == command["id"]
    assert command["cause"] == f"automation/{rule}/{execution['id']}"
    assert (command["user"], command["priority"]) == ("system", 500)


def test_the_time_over_goes_from_reading_to_reading_and_over_a_restart(garden: Garden) -> None:
    rule = garden.rule(for_s=30)
    garden.read(3)
    garden.at(20).read(3)
    garden.at(25).read(4.5)  # a break
    garden.at(40).read(3)
    garden.at(100)  # time alone does nothing
    assert garden.told(rule) == []
    garden.desk.restart()
    garden.come()
    garden.at(101).read(3)
    assert garden.told(rule) == [("crossed", "EXECUTING", None)]


def test_a_gap_longer_than_its_silence_is_a_break(garden: Garden) -> None:
    rule = garden.rule(for_s=30, silent_s=60)
    garden.read(3)
    garden.at(100).read(3)
    assert garden.told(rule) == []
    garden.at(131).read(3)
    assert garden.told(rule) == [("crossed", "EXECUTING", None)]


def test_what_comes_late_triggers_nothing(garden: Garden) -> None:
    rule = garden.rule()
    garden.desk.say("data/sensors", "sensors", {"boot": "b1", "failed": {}, "readings": [
        {"sensor": "oxygen1", "value": 3, "unit": "", "timestamp": 0}]})  # fmt: skip
    garden.read(3, ago=121)
    garden.read(6)
    garden.read(3, ago=5)  # there is a newer one
    assert garden.told(rule) == []
    garden.at(10).read(3, ago=5)
    assert garden.told(rule) == [("crossed", "EXECUTING", None)]


def test_what_a_broker_says_again_after_a_restart_changes_nothing(garden: Garden) -> None:
    rule = garden.rule()
    garden.at(5).read(3)
    garden.done()
    garden.desk.restart()
    garden.come()
    garden.at(7).read(6, ago=3)
    garden.read(6, ago=2)  # of the second in which it was crossed
    assert garden.told(rule) == [("crossed", "COMPLETED", None)]
    garden.read(6, ago=1)
    assert garden.told(rule)[1:] == [("cleared", "EXECUTING", None)]


def test_the_action_cools_down_but_its_undoing_does_not(garden: Garden) -> None:
    rule = garden.rule(cooldown_s=300)
    garden.read(3)
    garden.done()
    garden.at(10).read(6)
    garden.done()
    garden.at(20).read(3)
    assert len(garden.told(rule)) == 2
    garden.at(299)
    assert len(garden.told(rule)) == 2
    garden.at(300)
    assert garden.told(rule)[2:] == [("crossed", "EXECUTING", None)]


def test_what_is_waited_for_moves_with_the_clock(garden: Garden) -> None:
    rule = garden.rule(cooldown_s=300)
    garden.read(3)
    garden.done()
    garden.at(10).read(6)
    garden.done()
    garden.at(20).read(3)
    desk = garden.desk
    desk.now += 3_600_000
    desk.core.clock_set(3_600_000, desk.now)
    garden.at(3600 + 299)
    assert len(garden.told(rule)) == 2
    garden.at(3600 + 301)
    assert garden.told(rule)[2:] == [("crossed", "EXECUTING", None)]


def test_what_failed_is_tried_again_once_the_board_is_there(garden: Garden) -> None:
    rule = garden.rule(silent_s=0)
    garden.leave()
    garden.read(3)
    garden.at(61)
    assert garden.told(rule) == [("crossed", "FAILED", "expired")]
    garden.at(1000)
    assert len(garden.told(rule)) == 1, "nothing is tried while the board is away"
    garden.come()
    garden.at(1070)
    assert garden.told(rule)[1:] == [("crossed", "EXECUTING", None)]


def test_a_dose_that_may_have_run_is_not_done_again(garden: Garden) -> None:
    rule = garden.rule(action=FILL, clear_action=None)
    garden.read(3)
    garden.done("failed", "hardware")
    for second in range(60, 1200, 60):
        garden.at(second).read(3)
    assert garden.told(rule) == [("crossed", "FAILED", "hardware")]


def test_what_clears_waits_for_the_end_of_what_it_calls_off(garden: Garden) -> None:
    rule = garden.rule(action=FILL)
    garden.read(3)
    garden.done("accepted", within=31)
    garden.at(5).read(6)
    assert ("cancel", garden.commands()[0]["id"]) in garden.desk.sent()
    garden.done("failed", "stopped", ran_ms=5000)
    garden.at(6)
    assert garden.told(rule) == [("crossed", "FAILED", "stopped"), ("cleared", "EXECUTING", None)]


def test_what_never_ran_is_not_undone(garden: Garden) -> None:
    rule = garden.rule()
    garden.read(3)
    garden.done("rejected", "latched")
    garden.at(5).read(6)
    garden.at(10)
    assert garden.told(rule) == [("crossed", "FAILED", "latched")]
    assert garden.row(rule).wanted == ""


def test_an_open_question_may_be_answered_later(garden: Garden) -> None:
    rule = garden.rule(action=FILL, clear_action=None)
    garden.read(3)
    command = garden.commands()[0]
    garden.at(70)
    assert garden.told(rule) == [("crossed", "FAILED", "unknown")]
    garden.desk.ack(command, "completed", ran_ms=30_000)
    assert garden.told(rule) == [("crossed", "COMPLETED", None)]


def test_it_is_done_anew_while_it_lasts(garden: Garden) -> None:
    rule = garden.rule(repeat_s=100)
    garden.read(3)
    garden.done(seconds=120)
    garden.at(99)
    assert len(garden.told(rule)) == 1
    garden.at(100)
    assert garden.told(rule)[1:] == [("crossed", "EXECUTING", None)]


def test_a_sensor_that_falls_silent_is_told_of_and_undone(garden: Garden) -> None:
    quiet = garden.rule(name="Quiet", silent_s=100)
    careful = garden.rule(name="Careful", silent_s=100, on_silence="clear", priority=600)
    garden.read(3)
    garden.done()
    garden.at(99)
    assert garden.row(quiet).silent_at is None
    garden.at(101)
    assert garden.row(quiet).silent_at == garden.row(careful).silent_at == START + 100_000
    assert garden.told(careful)[-1] == ("silent", "EXECUTING", None)
    assert garden.row(careful).phase == "unheard"
    assert {row.kind for row in Alert.select()} == {f"silent/{quiet}", f"silent/{careful}"}
    garden.read(6)
    assert garden.row(quiet).silent_at is None
    assert all(row.until_at for row in Alert.select())


def test_a_silent_sensor_s_rule_holds_nothing_and_repeats_nothing(garden: Garden) -> None:
    high = garden.rule(name="High", silent_s=100, repeat_s=80, priority=600)
    low = garden.rule(name="Low", sensor="other", action=OFF, clear_action=None)
    garden.read(3)
    garden.done(seconds=600)
    garden.at(80)
    garden.done(seconds=600)
    garden.at(250)
    assert [one[0] for one in garden.told(high)] == ["crossed", "crossed"]
    garden.read(3, "other")
    assert garden.told(low) == [("crossed", "EXECUTING", None)]
    garden.at(252).read(3)
    assert garden.told(high)[2:] == [("crossed", "PENDING", None)], "once the other is called off"


def test_a_rule_may_just_tell(garden: Garden) -> None:
    rule = garden.rule(action=None, clear_action=None, notify=True)
    garden.read(3)
    [alert] = Alert.select()
    assert (alert.kind, alert.board_id, alert.until_at) == (f"automation/{rule}", "pond", None)
    assert alert.error == "Aerator: oxygen1 is below 4 (3)"
    garden.at(1).read(6)
    assert Alert.select().where(Alert.until_at.is_null()).count() == 0
    assert garden.told(rule) == []


def test_a_limit_of_the_board_s_own_triggers(garden: Garden) -> None:
    rule = garden.rule(limit_name="low")

    def cross(state: str) -> None:
        message = {"boot": "b1", "sensor": "oxygen1", "limit": "low", "state": state,
                   "value": 3.5, "unit": "mg/l", "timestamp": garden.desk.now // 1000}  # fmt: skip
        garden.desk.say("threshold", "threshold", message)

    garden.read(3)
    assert garden.told(rule) == [], "the board judges, not we"
    cross("crossed")
    garden.done()
    garden.at(1)
    cross("cleared")
    assert [one[0] for one in garden.told(rule)] == ["crossed", "cleared"]


def test_a_rule_that_is_changed_or_switched_off_calls_off_what_it_has(garden: Garden) -> None:
    rule = garden.rule()
    garden.leave()
    garden.read(3)
    garden.perform(rules.Change(rule, {"enabled": False}))
    garden.at(1)
    assert garden.told(rule) == [("crossed", "FAILED", "cancelled")]
    assert garden.last()["detail"] == {"because": "changed"}
    garden.come()
    garden.at(500).read(3)
    assert len(garden.told(rule)) == 1
    garden.perform(rules.Change(rule, {"enabled": True, "at": 2}))
    garden.at(510).read(3)
    garden.at(520).read(1)
    assert garden.told(rule)[1:] == [("crossed", "EXECUTING", None)]
    garden.perform(rules.Remove(rule))
    garden.done()
    garden.at(530).read(1)
    assert garden.told(rule)[1:] == [("crossed", "COMPLETED", None)], "it came first"


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"action": None, "clear_action": None}, "action"),
        ({"action": None, "notify": True}, "clear_action"),
        ({"clear_action": None, "on_silence": "clear"}, "on_silence"),
        ({"priority": 1000}, "priority"),
        ({"hysteresis": -1.0}, "hysteresis"),
        ({"name": " "}, "name"),
        ({"action": {**ON, "target": "nothing"}}, "action.target"),
        ({"action": {**FILL, "parameters": {"action": "fill"}}}, "action.parameters.seconds"),
        ({"action": {**ON, "board_id": "nowhere"}}, "action.board_id"),
        ({"action": {**ON, "parameters": 3}}, "action.parameters"),
        ({"action": {**ON, "expires_in": "1"}}, "action.expires_in"),
        ({"action": {"target": "light1"}}, "action.board_id"),
        ({"action": SECRET, "clear_action": None}, "action.parameters"),
        ({"clear_action": SECRET}, "clear_action.parameters"),
        ({"push": "limit", "limit_name": "low"}, "push"),
        ({"push": "limit", "for_s": 3601}, "for_s"),
        ({"clear_action": {**OFF, "cause": "x"}}, "clear_action.cause"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_by_name(
    garden: Garden, values: dict[str, object], field: str
) -> None:
    with pytest.raises(Invalid) as why:
        garden.rule(**values)
    assert why.value.field == field
    assert not rules.find()


def test_a_clock_that_is_set_moves_all_or_nothing_where_another_process_writes(
    garden: Garden, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = garden.rule()
    garden.read(3)
    core, since = garden.desk.core, garden.row(rule).since
    other = sqlite3.connect(garden.desk.path, 0, isolation_level=None)
    monkeypatch.setattr(core.roster, "shift", lambda by: other.execute("BEGIN IMMEDIATE"))
    core.clock_set(5000, garden.desk.now)
    assert garden.row(rule).since == since + 5000
    garden.desk.database.execute_sql("PRAGMA busy_timeout = 0")
    with pytest.raises(Locked):
        core.clock_set(5000, garden.desk.now)
    other.close()
    assert core.parts.automations.rules[rule].since == since + 5000


@pytest.mark.parametrize("what", ["changed", "deleted", "disabled"])
def test_a_silent_sensor_of_a_rule_that_is_no_more_is_none(garden: Garden, what: str) -> None:
    rule = garden.rule(silent_s=100)
    garden.read(6)
    garden.at(101)
    assert Alert.select().where(Alert.until_at.is_null()).count() == 1
    other = {"at": 3} if what == "changed" else {"enabled": False}
    garden.perform(rules.Remove(rule) if what == "deleted" else rules.Change(rule, other))
    garden.at(102).read(6)
    assert Alert.select().where(Alert.until_at.is_null()).count() == 0
