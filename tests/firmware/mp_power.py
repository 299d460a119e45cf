"""Power cut at every write of a long story: before it, after it, and in the middle of it.

After the cut the backend sends everything again that it has ever sent, as a bad network might, and
in the end asks for the fate of each command. What the pins did is compared with what was said.
"""

import sys

sys.path.append(__file__.rsplit("/", 1)[0])

from mp_fakes import Board, Flash, PowerCut  # noqa: E402 (after the path is right)
from protocol.messages import RESULTS  # noqa: E402

FEED = ("feed", "feeder1", {"amount": 20})
FILL = ("water", "valve1", {"action": "fill", "seconds": 4})
DRAIN = ("water", "valve1", {"action": "drain", "seconds": 4})

# (ms to wait before, command id, what is said)
STORY = (
    (0, "f1", FEED),
    (100, "w1", FILL),
    (100, "f2", FEED),
    (100, "f3", FEED),
    (100, "p1", ("ping",)),
    (900, "f2", FEED),
    (1500, "f3", ("cancel",)),
    (100, "m1", ("motor", "motor1", {"action": "start", "speed": 30, "seconds": 3})),
    (300, "n1", ("query",)),
    (200, "w2", DRAIN),
    (400, "w3", FILL),
    (600, "w1", ("query",)),
    (500, "s1", ("stop", "valve1")),
    (200, "w4", DRAIN),
    (200, "l1", ("switch", "light1", {"state": "on", "seconds": 2})),
    (2500, "f4", FEED),
    (300, "f5", FEED),
    (100, "e1", ("emergency_stop",)),
    (100, "c1", ("clear_stop",)),
    (100, "n1", FEED),
    (100, "f6", FEED),
    (2500, "r1", ("restart",)),
)
DOSES = ("f1", "f2", "f3", "f4", "f5", "f6", "w1", "w2", "w3", "w4", "n1")
FULL_MS = {"f": 2000, "n": 2000, "w": 4000}
MOVED_NOTHING = ("rejected", "cancelled")


class Teller:
    """Tells a story to a board whose power may fail; then everything is said once more."""

    def __init__(self, flash):
        self.board = Board(flash, capacity=32)
        self.said, self.was_cut = [], 0
        self.results = set()

    def tell(self):
        for wait, name, words in STORY:
            self._safely(lambda ms=wait: self.board.run(ms))
            data = self.board.message(name, *words)
            if words[0] not in ("query", "cancel"):
                self.said.append(data)
            self._safely(lambda data=data: self._hear(data))
            if self.board.restarts:
                self._safely(self._after_cut)
        self._safely(lambda: self.board.run(10000))
        self._note()

    def fates(self):
        """{id: (state, error)} as the board tells in the end."""
        return {name: self._fate(name) for name in DOSES + ("r1",)}

    def _fate(self, name):
        return self.board.say(name, "query")[-1]

    def _hear(self, data):
        self.board.dispatcher.receive(data, self.board.now_ms)
        self._note()

    def _note(self):
        """Acks would fill a small heap; their results are all that is looked at."""
        for ack in self.board.acks:
            if ack["state"] in RESULTS:
                self.results.add((ack["command_id"], ack["state"], ack["error"]))
        self.board.acks.clear()

    def _safely(self, act):
        try:
            act()
        except PowerCut:
            self.was_cut += 1
            self._safely(self._after_cut)

    def _after_cut(self):
        self.board.restarts = 0
        self.board.now_ms += 300
        self.board.boot()
        for data in self.said:
            self._hear(data)


def check(teller, where):
    board = teller.board
    for name, (state, error) in teller.fates().items():
        said = {one for one in teller.results if one[0] == name}
        assert said <= {(name, state, error)}, (where, said, state, error)
        if name in DOSES:
            check_pulses(board.pulses_of(name), name, state, error, where)


def check_pulses(pulses, name, state, error, where):
    about = (where, name, state, error, pulses)
    assert len(pulses) <= 1, about
    if state == "completed":
        assert pulses and pulses[0][2] == FULL_MS[name[0]] and not pulses[0][3], about
    elif state in MOVED_NOTHING or error in ("never", "not_started", "expired"):
        assert not pulses, about
    elif error == "stopped":
        assert pulses and pulses[0][2] <= FULL_MS[name[0]] and not pulses[0][3], about
    else:
        assert (state, error) == ("unknown", "interrupted"), about


def writes_of_the_story():
    flash = Flash()
    teller = Teller(flash)
    teller.tell()
    check(teller, "no cut")
    return flash.writes


def test_the_story_without_a_cut():
    flash = Flash()
    teller = Teller(flash)
    teller.tell()
    fates = teller.fates()
    assert [fates[name] for name in DOSES + ("r1",)] == [
        ("completed", None),
        ("completed", None),
        ("cancelled", "cancelled"),
        ("failed", "stopped"),
        ("cancelled", "cancelled"),
        ("completed", None),
        ("completed", None),
        ("failed", "stopped"),
        ("cancelled", "cancelled"),
        ("failed", "stopped"),
        ("failed", "never"),
        ("completed", None),
    ]


def cut_everywhere(how):
    for cut_at in range(writes_of_the_story()):
        teller = Teller(Flash(cut_at, how))
        teller.tell()
        assert teller.was_cut == 1, cut_at
        check(teller, (how, cut_at))


def test_cut_before_every_write():
    assert writes_of_the_story() >= 30
    cut_everywhere("before")


def test_cut_after_every_write():
    cut_everywhere("after")


def test_cut_in_the_middle_of_every_write():
    cut_everywhere("torn")
