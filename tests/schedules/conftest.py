"""Schedules on a real core and database, in a time of the test's own."""

from tests.backend.conftest import desk as desk
