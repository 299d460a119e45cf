"""`machine` for the tests of what asks the chip for its clock and its memory."""

import sys


class RTC:
    """One for the whole test."""

    now = (2000, 1, 1, 5, 0, 0, 0, 0)
    kept = b""

    def datetime(self, fields=None):
        if fields is None:
            return RTC.now
        RTC.now = fields
        return None

    def memory(self, content=None):
        if content is None:
            return RTC.kept
        RTC.kept = bytes(content)
        return None


machine = sys.modules.setdefault("machine", sys.modules[__name__])
