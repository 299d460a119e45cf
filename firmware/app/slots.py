"""Which of the two releases on flash runs: what the pointer file says, and how that changes.

Rules of this file:
- no I/O: whoever calls reads and replaces the file, and asks the chip;
- it ships twice, in each release and beside main.py, where it stays as old as it is: so what
  stands in the pointer file and in the RTC memory never changes its meaning;
- a trial is counted down on flash before it is tried, so whatever ends it counts.

The state is (active, trial, tries, why): the slot that has proved itself, the one on trial or "-",
how often that may still be started, and what is to be said of the active one.
"""

FILE = "slots"
TRIES = 3
BAD_BOOTS = 5  # in a row, and a proved release is not trusted any more
NONE = "-"
TRIAL = "trial"
CONFIRMED = "confirmed"
ROLLED_BACK = "rolled_back: "
SAFE_MODE = "safe_mode: "
FRESH = ("a", NONE, 0, CONFIRMED)

# The first bytes of the RTC memory are the count of bad boots and its check value; what comes
# from here on belongs to others, and is left alone.
RTC_REST = 4
_CHECK = 0x5A


def other(slot):
    """The slot that is not this one."""
    return "b" if slot == "a" else "a"


def parse(data):
    """The state in the bytes of the pointer file; FRESH where there are none, or no state."""
    try:
        active, trial, tries, why = data.decode().split(" ", 3)
        if active in ("a", "b") and trial in (NONE, other(active)):
            return active, trial, int(tries), why
    except (AttributeError, ValueError):
        pass
    return FRESH


def encode(state):
    """The bytes of the pointer file."""
    return "{} {} {} {}".format(*state).encode()


def begin(state):
    """The release in the spare slot gets its trial."""
    return state[0], other(state[0]), TRIES, state[3]


def confirmed(state):
    """The one on trial has proved itself."""
    return (state[0] if state[1] == NONE else state[1]), NONE, 0, CONFIRMED


def rolled_back(state, why):
    """The one on trial, if any, has failed; `why` is what people get to read."""
    if state[1] == NONE:
        return state
    text = "".join(ch if " " <= ch < "\x7f" else "?" for ch in ROLLED_BACK + why)
    return state[0], NONE, 0, text[:64]


def boot(state, complete, bitten, bad):
    """What this boot runs: (state to be on flash first, slot or None, what to say of it).

    `complete`: the slots that hold a whole release. `bitten`: the watchdog ended the last boot.
    `bad`: how many boots of the active slot in a row did not end well.
    """
    state = _settled(state, complete, bitten)
    active, trial, tries, why = state
    if trial != NONE:
        return (active, trial, tries - 1, why), trial, TRIAL
    spare = other(active)
    if active not in complete:
        if spare not in complete:
            return state, None, "no release"
        state = rolled_back((spare, active, 0, ""), "no release in " + active)
        return state, spare, state[3]
    if bad < BAD_BOOTS:
        return state, active, why
    if spare in complete and not why.startswith(ROLLED_BACK):
        return (active, spare, TRIES - 1, why), spare, TRIAL
    return state, active, SAFE_MODE + "{} bad boots".format(bad)


def _settled(state, complete, bitten):
    """A trial that has failed is over."""
    _, trial, tries, _ = state
    if trial == NONE:
        return state
    if trial not in complete:
        return rolled_back(state, "incomplete")
    if bitten and tries < TRIES:
        return rolled_back(state, "watchdog")
    if tries < 1:
        return rolled_back(state, "not confirmed in {} tries".format(TRIES))
    return state


def bad_boots(memory):
    """The count in the bytes of the RTC memory; 0 where there is none, as after power was off."""
    if len(memory) >= RTC_REST and memory[0] ^ memory[1] == _CHECK:
        return memory[0]
    return 0


def with_bad_boots(memory, count):
    """The bytes of the RTC memory with another count."""
    count = min(count, 255)
    return bytes((count, count ^ _CHECK, 0, 0)) + memory[RTC_REST:]
