"""Boards and where they are: enrolled, mapped, seen, missed, waked, counted."""
