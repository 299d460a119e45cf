"""What boards of other dialects measure is kept as everybody's is."""

from backend.readings import charts
from tests.dialects.conftest import MAC, START, Hall
from tests.dialects.conftest import hall as hall

DATA = f"ESP32CAM/{MAC}/data"


def kept() -> list[tuple[str, str, int, float]]:
    """[(sensor, unit, seconds since the start, value)]"""
    return [
        (line.sensor, line.unit, (at - START) // 1000, value)
        for line in charts.lines(MAC)
        for page in charts.readings(line, 0, 2 * START)
        for at, value in page
    ]


def test_telemetry_is_stored_once_with_its_own_time(hall: Hall) -> None:
    said = {"temperature": 21.5, "humidity": 60, "captured_at": "2027-01-15T07:59:00Z"}
    for _ in range(2):
        hall.say(DATA, said)
        hall.at(5)
    assert kept() == [("humidity", "%", -60, 60), ("temperature", "°C", -60, 21.5)]


def test_without_a_time_it_is_that_of_hearing(hall: Hall) -> None:
    for second in (10, 15, 100):
        hall.at(second)
        hall.say(DATA, {"temperature": 21.5})
    assert kept() == [("temperature", "°C", 10, 21.5), ("temperature", "°C", 100, 21.5)]
