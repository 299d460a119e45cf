"""Which release runs: whatever ends a trial, and at whichever write power fails, one does."""

import sys

sys.path.append(__file__.rsplit("/", 1)[0])

from app import slots  # noqa: E402
from mp_fakes import Flash, PowerCut  # noqa: E402 (after the path is right)

BOTH = "ab"


class Chip:
    """A board as main.py sees it: its flash, its RTC memory and which releases are whole."""

    def __init__(self, flash=None, complete=BOTH):
        self.flash, self.complete = flash or Flash(), complete
        self.memory, self.bitten = b"", False

    @property
    def state(self):
        return slots.parse(self.flash.read(slots.FILE))

    def change(self, state):
        if state != self.state:
            self.flash.replace(slots.FILE, slots.encode(state))

    def boot(self):
        """(slot, text), as chooser.py does it."""
        bad = slots.bad_boots(self.memory)
        state, slot, text = slots.boot(self.state, self.complete, self.bitten, bad)
        self.change(state)
        if text != slots.TRIAL:
            self.memory = slots.with_bad_boots(self.memory, bad + 1)
        return slot, text

    def well(self):
        self.change(slots.confirmed(self.state))
        self.memory = slots.with_bad_boots(self.memory, 0)


def test_a_fresh_board_runs_slot_a():
    assert Chip().boot() == ("a", "confirmed")
    assert Chip(complete="a").boot() == ("a", "confirmed")


def test_a_trial_that_does_well_is_confirmed():
    chip = Chip()
    chip.change(slots.begin(chip.state))
    assert chip.boot() == ("b", "trial")
    chip.well()
    assert chip.boot() == ("b", "confirmed")
    chip.change(slots.begin(chip.state))
    assert chip.boot() == ("a", "trial")


def test_a_trial_has_three_tries():
    chip = Chip()
    chip.change(slots.begin(chip.state))
    assert [chip.boot()[0] for _ in range(3)] == ["b"] * 3
    assert chip.boot() == ("a", "rolled_back: not confirmed in 3 tries")
    assert chip.boot() == ("a", "rolled_back: not confirmed in 3 tries")


def test_the_watchdog_ends_a_trial_but_not_one_that_has_not_begun():
    chip = Chip()
    chip.change(slots.begin(chip.state))
    chip.bitten = True
    assert chip.boot() == ("b", "trial")
    assert chip.boot() == ("a", "rolled_back: watchdog")


def test_half_a_release_is_never_run():
    chip = Chip(complete="a")
    chip.change(slots.begin(chip.state))
    assert chip.boot() == ("a", "rolled_back: incomplete")
    assert Chip(complete="b").boot() == ("b", "rolled_back: no release in a")
    assert Chip(complete="").boot() == (None, "no release")


def test_bad_boots_in_a_row_try_the_other_release_once_and_then_nothing_moves():
    chip = Chip()
    assert [chip.boot() for _ in range(5)] == [("a", "confirmed")] * 5
    assert [chip.boot() for _ in range(3)] == [("b", "trial")] * 3
    assert chip.boot() == ("a", "safe_mode: 5 bad boots")
    assert chip.boot() == ("a", "safe_mode: 6 bad boots")
    chip.memory = slots.with_bad_boots(chip.memory, 0)  # told to restart
    assert chip.boot()[1].startswith("rolled_back: ")


def test_the_other_release_may_be_the_better_one():
    chip = Chip()
    for _ in range(6):
        chip.boot()
    chip.well()
    assert chip.boot() == ("b", "confirmed")


def test_without_another_release_nothing_moves():
    chip = Chip(complete="a")
    texts = [chip.boot()[1] for _ in range(7)]
    assert texts[4:6] == ["confirmed", "safe_mode: 5 bad boots"]


def test_an_update_in_safe_mode_gets_its_trial():
    chip = Chip(complete="a")
    for _ in range(7):
        chip.boot()
    chip.complete = BOTH
    chip.change(slots.begin(chip.state))
    assert chip.boot() == ("b", "trial")
    chip.well()
    assert chip.boot() == ("b", "confirmed")


def test_what_is_no_state_is_a_fresh_board():
    good = slots.encode(("b", "a", 2, "rolled_back: a b c"))
    assert slots.parse(good) == ("b", "a", 2, "rolled_back: a b c")
    for data in (None, b"", b"a", b"c - 0 x", b"a a 1 x", b"a b x y", b"a b 1", b"\xff - 0 x"):
        assert slots.parse(data) == slots.FRESH, data


def test_what_people_read_is_short_and_plain():
    state = slots.rolled_back(("a", "b", 0, ""), "Error('é\n" + "x" * 100)
    assert len(state[3]) == 64 and state[3].startswith("rolled_back: Error('??x")
    assert slots.rolled_back(("b", "-", 0, "confirmed"), "late") == ("b", "-", 0, "confirmed")


def test_the_rest_of_the_rtc_memory_is_left_alone():
    memory = slots.with_bad_boots(b"????rest", 7)
    assert slots.bad_boots(memory) == 7 and memory[slots.RTC_REST :] == b"rest"
    assert slots.bad_boots(slots.with_bad_boots(b"", 300)) == 255
    for other in (b"", b"abc", b"\0\0\0\0", b"AB12rest"):
        assert slots.bad_boots(other) == 0


def story(flash, ends):
    """An update whose trial ends in one of ENDS; power may fail at any write. The last boot."""
    chip = Chip(flash)
    told = cuts = 0
    for _ in range(12):
        try:
            slot, text = chip.boot()
            assert slot in BOTH, text
            if not told:
                chip.change(slots.begin(chip.state))
                told = 1
            elif text == "trial":
                ends(chip)
            chip.memory = b""  # it ran for a while
        except PowerCut:
            cuts += 1
            chip.memory = b""
    return chip.boot(), cuts


def gives_up(chip):
    chip.change(slots.rolled_back(chip.state, "no broker"))


ENDS = (
    (Chip.well, ("b", "confirmed")),
    (lambda chip: None, ("a", "rolled_back: not confirmed in 3 tries")),
    (gives_up, ("a", "rolled_back: no broker")),
)


def test_power_cut_at_every_write_of_a_trial():
    for ends, last in ENDS:
        flash = Flash()
        slot, text = story(flash, ends)[0]
        assert (slot, text) == last
        for cut_at in range(flash.writes):
            for how in ("before", "after"):  # it is a rename: it is done or not
                (slot, _), cuts = story(Flash(cut_at, how), ends)
                assert (slot, cuts) == (last[0], 1), (cut_at, how)
