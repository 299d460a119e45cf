"""The steps of the backend, the one at which it is killed, and those that others hold up."""


class Killed(Exception):
    """The process was killed at this step."""


class Life:
    """Counts the steps of the backend; `ends_in`: at that many from now it is killed.

    `locked`: so many times in a row another process holds the database.
    """

    def __init__(self) -> None:
        self.ends_in: int | None = None
        self.last_step = ""
        self.locked = 0

    def step(self, name: str) -> None:
        """One more step. Raises Killed."""
        if self.ends_in is None:
            return
        self.ends_in -= 1
        if self.ends_in <= 0:
            self.ends_in, self.last_step = None, name
            raise Killed(name)
