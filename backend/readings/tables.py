"""The tables of readings. Times are ms since 1970.

A reading is known by its series and its time: what the broker repeats finds its place taken. Both
tables are kept in the order of that key, so that the readings of one sensor lie side by side; the
index by time alone is for the sweep of what is old.
"""

from peewee import (
    AutoField,
    BigIntegerField,
    CompositeKey,
    FloatField,
    IntegerField,
    TextField,
)

from backend.database.models import Base


class Series(Base):
    """What one sensor of one board measures in one unit: another unit is another series."""

    id = AutoField()
    board_id = TextField()
    sensor = TextField()
    unit = TextField()

    class Meta:
        indexes = ((("board_id", "sensor", "unit"), True),)


class StoredReading(Base):
    """One value as it came. `value` is NULL where the sensor began to fail."""

    series = IntegerField()
    at = BigIntegerField(index=True)
    value = FloatField(null=True)

    class Meta:
        table_name = "reading"
        primary_key = CompositeKey("series", "at")
        without_rowid = True


class ReadingHour(Base):
    """What a series measured in the hour that begins at `at`, kept longer than the values."""

    series = IntegerField()
    at = BigIntegerField(index=True)
    low = FloatField()
    high = FloatField()
    total = FloatField()  # the sum of the values
    count = IntegerField()

    class Meta:
        table_name = "reading_hour"
        primary_key = CompositeKey("series", "at")
        without_rowid = True


class SensorNote(Base):
    """What a site's administrators say of a sensor: its name for people, and between which values
    it can be believed (NULL: any).
    """

    board_id = TextField()
    sensor = TextField()
    label = TextField(default="")
    low = FloatField(null=True)
    high = FloatField(null=True)

    class Meta:
        table_name = "sensor_note"
        primary_key = CompositeKey("board_id", "sensor")
