"""Boards that sleep and have no ids: what is said to one from its HELLO until it sleeps again.

HELLO; what it has kept (`send_all_pending`), then commands one at a time; a picture's metadata,
`send_image`, its chunks; ACK_OK with the next wake. Rules of this file:
- while pictures are on their way nothing else is sent, so that what comes can be told apart;
- chunks that are missing are asked for REPAIRS times, REPAIR_MS after the last one, also where
  none came at all; then what there is is kept, under a name that says so;
- a board that is silent for SILENCE_MS has left, and no wake lasts longer than WAKE_MS;
- at most CAPTURES pictures are taken in one wake, and none within CAPTURE_MS of another.
Times are ms. Wakes are in memory; one that a restart forgot is made up for at the next HELLO.
"""

from typing import Any

from protocol.image_reading import Chunk, Header

from backend.database import store
from backend.database.models import ACTIVE, Board
from backend.delivery.dispatcher import Dispatcher
from backend.delivery.guesses import complete, in_flight
from backend.delivery.lifecycle import IN_FLIGHT, SENT
from backend.delivery.wake import SILENCE_MS, WAKE_MS, Transfer, Wake, image_id, next_wake
from backend.delivery.work import Work
from backend.dialects import esp32cam
from backend.dialects.dialect import BY_TOPIC
from backend.dialects.meaning import Hello, Part, Picture
from backend.fleet.downtime import Downtimes
from backend.fleet.presence import Presence, Roster
from backend.gallery.images import Receiver

REPAIRS = 3


class Dialogues:
    """Every board that is awake; called within the writer's transaction."""

    def __init__(
        self, roster: Roster, dispatcher: Dispatcher, images: Receiver, downtimes: Downtimes
    ) -> None:
        self._roster, self._dispatcher = roster, dispatcher
        self._images, self._downtimes = images, downtimes
        self._awake, self._parted = dict[str, Wake](), dict[str, Wake]()  # now; each one's last

    def __len__(self) -> int:
        return len(self._awake)

    def next_due(self) -> int | None:
        """When `tick` may next have something to do, or None."""
        return min((wake.due() for wake in self._awake.values()), default=None)

    def shift(self, by: int) -> None:
        """The clock was set by so many ms."""
        for wake in (*self._awake.values(), *self._parted.values()):
            wake.shift(by)

    def heard(self, work: Work, board: Presence) -> Wake:
        """A sign of life; the wake it belongs to, which it may begin."""
        wake = self._awake.get(board.board_id)
        if wake is None:
            wake = self._awake[board.board_id] = Wake(board, work.now, work.now)
            self._hold(work, wake)
        wake.heard = work.now
        came = self._roster.heard(board, work.now)
        self._downtimes.back(work, board)
        if came:
            work.out.boards[board.board_id] = board
            self._dispatcher.rouse(work, board)
        return wake

    def hello(self, work: Work, board: Presence, said: Hello) -> None:
        """It has woken; said in the middle of a transfer, it means nothing."""
        wake = self.heard(work, board)
        firmware = said.claims.get("firmware", board.firmware)
        if firmware != board.firmware:
            board.firmware = firmware
            Board.update(firmware=firmware).where(Board.id == board.board_id).execute()
        if not wake.busy:
            wake.pending, wake.asked = said.pending, 0
            if wake.pending:
                self._drain(work, wake)
            self._hold(work, wake)

    def picture(self, work: Work, board: Presence, said: Picture) -> None:
        """Metadata: of the picture it was asked for, or of one it had kept."""
        wake = self.heard(work, board)
        taken = None if wake.pending else in_flight(work, board, "capture_image")
        if said.error and taken:
            taken["error"] = "hardware"
            work.step(taken, "failed", "hardware", {**BY_TOPIC, "code": said.error}, "board")
        if said.error:
            return
        transfer = self._begun(work, wake, said)
        header = Header(transfer.image_id, said.size, said.chunk_size, said.at, 0, 0, b"")
        if header != transfer.header:
            transfer.header, transfer.readings, wake.last = header, said.readings, work.now
            self._take(work, wake, transfer, header)
        if taken:
            complete(work, taken, {"image_id": transfer.image_id, "image_name": said.name})
            self._say(work, board, "cmd", {"send_image": said.name})
        self._hold(work, wake)

    def part(self, work: Work, board: Presence, said: Part) -> bool:
        """A chunk; of a picture nobody has told of it is kept until that is. False: not wanted."""
        if board.board_id not in self._awake and self._is_echo(work, board, said.name):
            return False
        wake = self.heard(work, board)
        if not wake.transfers and said.name not in wake.done:
            self._open(wake, said.name, work.now // 1000)
        transfer = wake.transfers.get(said.name)
        if transfer is None:
            return False
        wake.last = work.now
        here = self._images.size_of(board.board_id, transfer.image_id)
        if transfer.header and not here:  # it may have had to make room
            self._take(work, wake, transfer, transfer.header)
        self._take(work, wake, transfer, Chunk(transfer.image_id, said.index, said.data))
        self._hold(work, wake)
        return True

    def tick(self, work: Work) -> None:
        """Do what the time demands."""
        for wake in [one for one in self._awake.values() if one.due() <= work.now]:
            if wake.heard + SILENCE_MS <= work.now:
                self._drop_all(work, wake)
                self._part_with(work, wake, None)
            elif wake.began + WAKE_MS <= work.now:
                self._drop_all(work, wake)
                self._sleep(work, wake)
            elif wake.busy:
                self._repair(work, wake)
            self._hold(work, wake)

    def finish(self, work: Work) -> None:
        """After all was sent that may be: let those sleep for whom nothing is left to do."""
        idle = [wake for wake in self._awake.values() if not wake.busy]
        if idle:
            work.flush()
        for wake in idle:
            rows = work.take(store.unfinished_of_board(wake.board.board_id))
            for row in rows:
                if row["command_type"] == "capture_image" and row["status"] == SENT:
                    wake.captures.setdefault(row["id"], work.now)
            self._hold(work, wake)
            if all(wake.can_wait(row) for row in rows):
                self._sleep(work, wake)
            elif wake.told:
                self._say(work, wake.board, "ack", {"ACK_OK": True, "image_name": wake.told})
                wake.told = ""

    def _is_echo(self, work: Work, board: Presence, name: str) -> bool:
        """Whether a chunk is of a picture that was here before its board went to sleep."""
        last = self._parted.get(board.board_id)
        return last is not None and name in last.done and last.heard + SILENCE_MS > work.now

    def _begun(self, work: Work, wake: Wake, said: Picture) -> Transfer:
        """The transfer of this metadata; one of another picture is over."""
        known = wake.transfers.get(said.name)
        if known and known.is_of(said.name, said.at):
            return known
        if known:
            self._drop(work, wake, known)
        return self._open(wake, said.name, said.at or work.now // 1000)

    @staticmethod
    def _open(wake: Wake, name: str, at: int) -> Transfer:
        transfer = wake.transfers[name] = Transfer(name, image_id(name, at))
        return transfer

    def _take(self, work: Work, wake: Wake, transfer: Transfer, said: Header | Chunk) -> None:
        picture = self._images.take(wake.board.board_id, said)
        self._images.dropped.clear()  # it is asked for again: see `_repair`
        if picture is None:
            return
        work.out.pictures.append(transfer.arrival(wake.board.board_id, picture))
        wake.done.add(transfer.name)
        wake.told = wake.transfers.pop(transfer.name).name
        row = in_flight(work, wake.board, "send_image", image_id=transfer.name)
        if row:
            complete(work, row, {"image_id": transfer.image_id})
        if wake.pending:
            self._say(work, wake.board, "ack", {"ACK_OK": True, "image_name": transfer.name})
            self._one_less(work, wake)

    def _one_less(self, work: Work, wake: Wake) -> None:
        wake.told, wake.asked, wake.last = "", 0, work.now
        wake.pending -= 1

    def _repair(self, work: Work, wake: Wake) -> None:
        transfer = next(iter(wake.transfers.values()), None)
        if transfer is None and wake.asked > REPAIRS:
            wake.pending = 0
        elif transfer is None:
            self._drain(work, wake)
        elif transfer.asked >= REPAIRS:
            self._drop(work, wake, transfer)
        else:
            transfer.asked, wake.last = transfer.asked + 1, work.now
            missing = self._images.missing_numbers(wake.board.board_id, transfer.image_id)
            self._say(work, wake.board, *wake.request(transfer, missing))

    def _drain(self, work: Work, wake: Wake) -> None:
        wake.asked, wake.last = wake.asked + 1, work.now
        self._say(work, wake.board, "cmd", {"send_all_pending": True})

    def _drop_all(self, work: Work, wake: Wake) -> None:
        for transfer in list(wake.transfers.values()):
            self._drop(work, wake, transfer)

    def _drop(self, work: Work, wake: Wake, transfer: Transfer) -> None:
        """What came of a picture is all that comes: it is kept as incomplete."""
        del wake.transfers[transfer.name]
        key = (wake.board.board_id, transfer.image_id)
        missing, rest = len(self._images.missing_numbers(*key)), self._images.give_up(*key)
        if rest:
            work.out.pictures.append(transfer.arrival(key[0], rest, missing))
        row = in_flight(work, wake.board, "send_image", image_id=transfer.name)
        if row:
            row["error"] = "incomplete"
            work.step(row, "failed", "incomplete", BY_TOPIC)
        if wake.pending:
            self._one_less(work, wake)

    def _sleep(self, work: Work, wake: Wake) -> None:
        """ACK_OK, with the next wake where one is known: the board sleeps from now on."""
        at = next_wake(work, wake)
        text = {"next_wake_time": esp32cam.wake_text(at // 1000)} if at else True
        self._say(work, wake.board, "ack", {"ACK_OK": text, **wake.about})
        self._part_with(work, wake, at)

    def _part_with(self, work: Work, wake: Wake, until: int | None) -> None:
        board = wake.board
        for row in work.take(store.unfinished_of_board(board.board_id)):
            if row["status"] in IN_FLIGHT:
                self._dispatcher.give_up(work, row, "unanswered")
        board.asleep_until, board.hold = until, frozenset()
        self._downtimes.parted(work, board)
        self._parted[board.board_id] = self._awake.pop(board.board_id)

    @staticmethod
    def _say(work: Work, board: Presence, leaf: str, members: dict[str, Any]) -> None:
        """Say what is nobody's command. Only boards that are mapped are spoken to."""
        if board.state == ACTIVE:
            work.out.said.append((board.board_id, esp32cam.say(board.facts, leaf, members)))

    def _hold(self, work: Work, wake: Wake) -> None:
        wake.show(work, self._images)
        held = wake.held(work.now)
        if held != wake.board.hold:
            wake.board.hold = held
            work.groups.add((wake.board.board_id, ""))
