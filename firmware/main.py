"""Starts the board. At the serial console Ctrl-C ends it, with all outputs safe, in a prompt."""

import asyncio
import sys

sys.path.append("/lib")


def main():
    """Run until something fails; then write down why, and start over."""
    import machine
    from app import errorlog, node

    try:
        board = node.Node()
    except ValueError as why:
        print("answerback:", why)
        return
    try:
        asyncio.run(board.run())
    except KeyboardInterrupt:
        board.dispatcher.set_safe()
        print("answerback: stopped, outputs are safe; Ctrl-D starts it again")
    except Exception as why:  # nobody is watching: keep the traceback, and start over
        errorlog.write(why)
        sys.print_exception(why)
        board.dispatcher.set_safe()
        machine.reset()


main()
