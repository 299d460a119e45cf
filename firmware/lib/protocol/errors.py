"""Every error code that may stand in a message, and the one exception this package raises.

A code is never renamed or given a second meaning: it stands in histories for years. What each
means in words, only the backend needs to know.
"""

# One text with a space around each: a list of them would take 2 KB of a board's memory.
CODES = (
    " malformed too_large bad_signature unknown_type unknown_target wrong_target bad_parameter"
    " expired clock_unset busy interlock condition latched stopped cancelled interrupted"
    " not_started never forgotten no_answer no_result storage full hardware reverted download"
    " bad_release no_space "
)


class ProtocolError(ValueError):
    """A message that must not be acted upon: `code` (see CODES), `field` and `reason`."""

    def __init__(self, code, field, reason):
        super().__init__("{}: {}".format(field, reason))
        self.code = code
        self.field = field
        self.reason = reason
