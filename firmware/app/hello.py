"""The startup message: what has started, and what it has. Said once for each connection."""

import gc

from protocol import encode

import app

from . import once


def startup(key, boot, cause, board, has, session, actuators, slot, latched, now):
    """Its bytes. `slot`: (which, its state); `now` is Unix seconds or 0."""
    message = {
        "boot": boot,
        "session": session,
        "cause": cause,
        "firmware": app.VERSION,
        "board": board,
        "actuators": actuators,
        "has": has,
        "slot": slot[0],
        "slot_state": slot[1],
        "latched": latched,
        "heap": gc.mem_free(),
        "timestamp": now,
    }
    return encode("startup", message, key, once("startup", "protocol").members_of_startup)
