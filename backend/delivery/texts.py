"""What the error codes of the protocol mean, in words: the board has no memory to spare for them.

The text is what a person reads, so it says what is the case, not whose fault it is.
"""

TEXTS = {
    "malformed": "the message could not be read",
    "too_large": "the message is longer than the protocol allows",
    "bad_signature": "the message was not signed with this board's key",
    "unknown_type": "the board does not know this kind of command",
    "unknown_target": "the board has no actuator of this name",
    "wrong_target": "the actuator of this name is of another kind",
    "bad_parameter": "a parameter is missing or out of range",
    "expired": "the command came too late, so it was not carried out",
    "clock_unset": "the board does not know the time yet, so this may be too late",
    "busy": "the board has no room for another command",
    "interlock": "another actuator that must not run at the same time is on",
    "condition": "a condition did not hold when it was to begin, so nothing was done",
    "latched": "an emergency stop holds until it is cleared: nothing moves",
    "stopped": "a stop ended the action before its time",
    "cancelled": "the command was cancelled before it was carried out",
    "interrupted": "power or the program failed while it ran: part of it may have been done",
    "not_started": "power or the program failed before the action began: nothing was done",
    "never": "the board never received the command and will refuse it from now on",
    "forgotten": "the board's journal no longer reaches back to this command",
    "no_answer": "the board did not answer",
    "no_result": "the board accepted the command and sent no result in time",
    "storage": "the board could not write to its flash",
    "full": "the board's flash is full of pictures that were not sent yet",
    "hardware": "the actuator reported a fault, or the camera did",
    "reverted": "the board did not reach the broker with it, and went back to what it had before",
    "download": "the board could not fetch the release: given again, it goes on from there",
    "bad_release": "the release is damaged, or not the one that was meant for this board",
    "no_space": "the board's flash has no room for the release",
}

# Those that only commands to boards of other dialects end with.
FOREIGN_TEXTS = {
    "unanswered": "the board did not answer in time, and boards of this kind can't be asked",
    "no_answer_possible": "boards of this kind do not answer this, so nobody can say",
    "superseded": "another command followed before it was answered; no answer tells them apart",
    "incomplete": "chunks of the picture never came; what did is kept as incomplete",
}
