"""Fixtures of the emulation tests."""

from tests.emulation.boards import make_board

__all__ = ["make_board"]
