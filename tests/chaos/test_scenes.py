"""A scene of 60 steps, whose second board dies half way; and a dry run of a museum's file."""

import json
from pathlib import Path

import pytest

from tools import chaos_scenes, scene

PACE = 0.08
DRY = {
    "sceneId": "dry",
    "initialState": "A",
    "topics": {"room1/lamp": {"board": "own-1", "target": "lamp"}},
    "states": {
        "A": {
            "onEnter": [{"action": "mqtt", "topic": "room1/motor1", "message": "ON:80:R"}],
            "timeline": [{"at": 0.5, "action": "mqtt", "topic": "room1/lamp", "message": "ON"}],
            "transitions": [
                {"type": "mqttMessage", "topic": "room1/door", "message": "open", "goto": "END"}
            ],
        }
    },
}


def test_every_step_of_sixty_is_told_truly(tmp_path: Path, seed: int) -> None:
    report = chaos_scenes.run(tmp_path, 1, seed, lambda: None, pace=PACE)
    print("\n".join(report.lines()))
    assert report.violations == []
    told = {what: count for what, count in report.counts.items() if what.startswith("steps")}
    assert sum(told.values()) == chaos_scenes.STEPS
    assert report.counts["steps, dead board: NOT_SENT"] > 0
    assert report.counts["runs of a killed backend: INTERRUPTED"] == 1
    assert report.counts["steps, living board: OK"] > chaos_scenes.STEPS / 2


def test_a_dry_run_shows_pins_and_deviations(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "dry.json"
    file.write_text(json.dumps(DRY))
    assert scene.main([str(file), "--dry-run", "--say", "1:room1/door=open"]) == 0
    said = capsys.readouterr().out
    motor, lamp, *safe = [line.split() for line in said.splitlines()[1:-2]]
    assert (motor[0], motor[-2:]) == ("0.00s", ["room1/motor1", "ON:80:R"])
    assert lamp[0] == "0.50s" and "OK" in lamp and len(safe) == 2
    assert said.splitlines()[-1] == "COMPLETED"


def test_a_file_that_is_none_is_said_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "wrong.json"
    file.write_text(json.dumps({**DRY, "initialState": 7}))
    assert scene.main([str(file)]) == 2
    assert "error: initialState must be text" in capsys.readouterr().err
