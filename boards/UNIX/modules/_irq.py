"""`machine.Pin.irq` on the host: the supervisor's level changes call the handler."""

import _board


def watch(pin, handler=None, trigger=3, **_):
    def changed(level):
        if trigger & (pin.IRQ_RISING if level else pin.IRQ_FALLING):
            handler(pin)

    if handler is None:
        _board.values.pop(("irq", pin.number), None)
    else:
        _board.values["irq", pin.number] = changed
