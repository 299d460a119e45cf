"""The contract between backend and board: the only copy, and it imports nobody.

The same files run on the board (MicroPython) and in the backend (CPython). They are written for
the poorer dialect, so they cannot grow what a board cannot run.
"""

from .errors import CODES, ProtocolError
from .messages import ack, decode, encode

__all__ = ["CODES", "ProtocolError", "ack", "decode", "encode"]
