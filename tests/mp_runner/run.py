"""Runs the plain `test_*` functions of one file under MicroPython.

    micropython run.py FILE NAME...

Prints `@@ {"test": name}` before each test and `@@ {"test": name, "traceback": text or null}`
after it, so that a process that dies in the middle tells which test it died in. This folder holds
nothing but runners: MicroPython puts the script's folder first on `sys.path`, and any folder
there imports as a package.
"""

import asyncio
import gc
import io
import json
import sys


def say(**facts):
    print("@@", json.dumps(facts))


def traceback_of(test):
    """None where the test passes, else the traceback as text."""
    try:
        running = test()
        if hasattr(running, "send"):  # an async test
            asyncio.run(running)
    except Exception as error:
        text = io.StringIO()
        sys.print_exception(error, text)
        return text.getvalue()
    return None


def load(path):
    with open(path) as file:
        code = compile(file.read(), path, "exec")
    names = {"__name__": "mp_test", "__file__": path}
    exec(code, names)
    return names


def main(path, *tests):
    sys.path.pop(0)
    names = load(path)
    for test in tests:
        gc.collect()
        say(test=test)
        say(test=test, traceback=traceback_of(names[test]))


if __name__ == "__main__":
    main(*sys.argv[1:])
