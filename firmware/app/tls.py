"""TLS to the broker, with its certificate checked; loaded only where settings.json asks for it.

Rules of this file:
- a broker whose certificate the context does not accept is refused, in words;
- a step of the handshake takes some hundred ms on an ESP32 and can't be divided: none is begun
  while an action ends soon, so that no output stays on for longer;
- what mbedtls could not send yet it has to be given again, the same bytes and no more.

The dates of the certificate are checked, against the chip's clock: see calendar.py.
"""

import asyncio

from micropython import const

from .wire import LinkDown, Wire, readable

_LOOK_MS = const(20)
_RECORD_BYTES = const(1024)
_WHY = "the broker's certificate is refused: {}; check broker.host, broker.ca and the clock"


def wrap(sock, context, host, calm):
    """The Wire of a connection to `host`. `context` is from `settings`; for `calm` see TlsWire."""
    stream = context.wrap_socket(sock, server_hostname=host, do_handshake_on_connect=False)
    return TlsWire(sock, stream, calm)


class TlsWire(Wire):
    """A Wire whose stream is encrypted. `calm()`: whether half a second may pass now."""

    def __init__(self, sock, stream, calm):
        super().__init__(sock, stream)
        self.calm = calm
        self._again = 0  # bytes mbedtls has taken and not sent

    async def read(self, buffer):
        """See Wire."""
        count = None
        while count is None:
            await readable(self.stream)
            while not self.calm():
                await asyncio.sleep_ms(_LOOK_MS)
            count = self._step(self.stream.readinto, buffer)
        return self.received(count)

    def flush(self):
        """See Wire."""
        while self.unsent and self.calm():
            record = self.unsent[: self._again or _RECORD_BYTES]
            count = self._step(self.stream.write, record)
            if not count:
                self._again = len(record)
                return
            self._again = 0
            self.unsent = self.unsent[count:]

    def _step(self, function, data):
        try:
            count = function(data)
        except ValueError as why:  # mbedtls says in words what is wrong with the certificate
            raise LinkDown("refused", _WHY.format(" ".join(str(why).split())))
        if count is not None:
            self.calm = _always  # the handshake is over
        return count


def _always():
    return True
