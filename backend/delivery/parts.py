"""All that the backend does by itself, put together; see `part`."""

from backend.automations.engine import Automations
from backend.delivery.part import Orders, Part
from backend.delivery.work import Work
from backend.gallery.keeping import Gallery
from backend.readings.storing import Readings
from backend.rollouts.conductor import Rollouts
from backend.scenes.part import Scenes
from backend.schedules.part import Schedules
from backend.schedules.runs import Runs


class Parts:
    """All parts of one core. Tasks reach them as `work.parts`."""

    def __init__(self, orders: Orders) -> None:
        self.orders = orders
        self.readings = Readings(orders)
        self.automations = Automations(orders)
        self.gallery = Gallery(orders)
        self.rollouts = Rollouts(orders)
        self.runs = Runs(orders)
        self.schedules = Schedules(orders, self.runs)
        self.scenes = Scenes(orders)
        self.all: tuple[Part, ...] = (
            self.readings,
            self.gallery,
            self.scenes,
            self.schedules,
            self.runs,
            self.automations,
            self.rollouts,
        )

    def act(self, work: Work) -> None:
        """Let each hear what came, and do what it has to."""
        for part in self.all:
            part.hear(work)
        for part in self.all:
            part.act(work)

    def follow(self, work: Work) -> None:
        """Let each know what has become of commands in this transaction."""
        if work.out.changes:
            for part in self.all:
                part.follow(work, work.out.changes)

    def next_due(self) -> int | None:
        """When the first of them wants to act, or None."""
        times = [part.next_due() for part in self.all]
        return min((time for time in times if time is not None), default=None)

    def shift(self, by: int) -> None:
        """The clock was set by so many ms."""
        for part in self.all:
            part.shift(by)

    def limits(self, board_id: str) -> list[tuple[str, str, float]]:
        """What all of them watch of a board."""
        return [limit for part in self.all for limit in part.limits(board_id)]
