"""Releases of the firmware, and how they get to many boards."""
