"""Readings and sensors in the API's description; a row is as in openapi_upkeep."""

from typing import Any

from protocol.reports import CLEARED, CROSSED

from backend.readings.charts import POINTS, POINTS_MAX
from backend.web.schemas import (
    MAYBE_TEXT,
    MAYBE_TIME,
    TEXT,
    TIME,
    WHOLE,
    Schema,
    _closed,
    _object,
    list_of,
    ref,
)

_SEEN = (401, 403, 404)
_MAYBE_NUMBER: Schema = {"type": ["number", "null"]}


def _query(name: str, shape: Schema, about: str) -> Schema:
    return {"in": "query", "name": name, "schema": shape, "description": about}


_POINTS = {"type": "integer", "minimum": 2, "maximum": POINTS_MAX, "default": POINTS}
_RANGE = [
    _query("sensor", TEXT, "Only of these sensors, with commas between"),
    _query("from", TIME, "Its beginning; a day before its end"),
    _query("to", TIME, "Its end; now"),
]

ROWS: tuple[tuple[Any, ...], ...] = (
    ("get", "/boards/{board_id}/sensors", "listSensors",
     "What a board measures: the newest value of each sensor", (200, "Sensors"), _SEEN),
    ("put", "/boards/{board_id}/sensors/{sensor}", "noteSensor",
     "Name a sensor, and say between which values it can be believed; others are failures",
     (200, "Sensor"), (*_SEEN, 413, 415, 429), "SensorNote"),
    ("get", "/boards/{board_id}/readings", "listReadings",
     "What was measured in a range of time, in buckets of a whole span, which begin at multiples "
     "of it; one without values is a gap", (200, "Readings"), _SEEN, None,
     [*_RANGE, _query("points", _POINTS, "How many buckets with values a sensor may have; "
            "fewer where there are very many sensors")]),
    ("get", "/boards/{board_id}/readings.csv", "downloadReadings",
     "Every reading in a range of time that is still kept, as CSV", (200, None), _SEEN, None,
     _RANGE, False, "text/csv"),
)  # fmt: skip

_NOTED = {"label": TEXT, "low": _MAYBE_NUMBER, "high": _MAYBE_NUMBER}
_SENSOR = {
    "sensor": TEXT,
    "value": _MAYBE_NUMBER,
    "unit": TEXT,
    "at": MAYBE_TIME,
    "age_s": _MAYBE_NUMBER,
    "error": MAYBE_TEXT,  # why the newest reading was no value
    "since": MAYBE_TIME,  # the oldest that is kept
    "limits": {"type": "object", "additionalProperties": {"enum": [CROSSED, CLEARED]}},
    "watched": list_of(_object({"name": TEXT, "value": {"type": "number"}})),  # limits of rules
    **_NOTED,
}
_BUCKET = {
    "at": TIME,
    "min": _MAYBE_NUMBER,
    "mean": _MAYBE_NUMBER,
    "max": _MAYBE_NUMBER,
    "count": WHOLE,
}
_SERIES = {"sensor": TEXT, "unit": TEXT, "span_s": WHOLE, "buckets": list_of(_object(_BUCKET))}

SCHEMAS: dict[str, Schema] = {
    "Sensor": _object(_SENSOR),
    "Sensors": _object({"sensors": list_of(ref("Sensor"))}),
    "SensorNote": _closed(_NOTED, []),
    "Readings": _object({"from": TIME, "to": TIME, "series": list_of(_object(_SERIES))}),
}
