"""For whoever sits at the serial console: Ctrl-C, `import console`, `console.help()`.

At the prompt memory is as scarce as anywhere: so the first import lets go of the program that was
stopped, but for its clock, and what the functions do lies in app/console_show.py and
app/console_run.py, loaded when it is asked for and let go afterwards.
"""

import asyncio
import gc
import sys


def _find_release():
    """Where no program has run, the release that proved itself last is taken."""
    try:
        with open("/slots", "rb") as file:
            state = file.read()
    except OSError:
        state = None
    sys.path.insert(0, "/" + __import__("slots").parse(state)[0])


try:
    import app
except ImportError:
    _find_release()
    import app
from app import once  # noqa: E402 (now it is found)


def help():
    """What there is."""
    _show().help()


def status():
    """The board, its memory, its link."""
    _show().status(*_program)


def pins():
    """What is wired where, and the level of each pin."""
    _show().pins()


def journal():
    """What became of each command: id, state, error, Unix time (0: not known), result."""
    _show().journal()


def settings():
    """What /settings.json holds; no key and no password is shown."""
    _show().settings()


def wifi():
    """The networks it knows, and how it is connected."""
    _show().wifi()


def log():
    """The errors that were kept on flash, oldest first."""
    _show().log()


def clock(timestamp):
    """Tell a board that does not know it the time, in Unix seconds."""
    _run().clock(_program[0], timestamp)


def run(verb, target="", **parameters):
    """Do what such a command says and print its acks; returns when it is over, outputs safe."""
    _run().run(_program[0], verb, target, parameters)


def _show():
    _let_go()
    return once("console_show")


def _run():
    _let_go()
    return once("console_run")


def _stopped():
    """(clock, why the link was lost, what was dropped) of the program, if there was one."""
    node = getattr(app, "stopped", None)
    if node is None:
        from app.clock import Clock

        return Clock(), "", {}
    if node.link.connection:  # nobody serves it any more; the broker is to know now
        node.link.connection._wire.close()
    return node.clock, node.link.reason, node.dropped()


def _let_go():
    """Forget the modules of the program; what is wanted of them comes back from flash."""
    # The task that ran last keeps all the others, and with them the whole program.
    asyncio.core.cur_task = None  # type: ignore[attr-defined]
    for name in list(sys.modules):
        if name.startswith(("app.", "umqtt")) and name != "app.clock":
            del sys.modules[name]
            if hasattr(app, name[4:]):
                delattr(app, name[4:])
    gc.collect()


_program = _stopped()
app.stopped = None  # type: ignore[attr-defined]
_let_go()
