"""How many pictures are kept, how long, and how much room they may take."""

from dataclasses import dataclass, replace

NAMES = ("days", "mb", "board_mb", "board")


@dataclass(frozen=True)
class Bounds:
    """`days` 0: for ever; `mb`: megabytes in all; `board_mb`, `board`: megabytes and pictures of
    one board. What is beyond goes, the one that came first before all others.
    """

    days: int = 30
    mb: int = 4_096
    board_mb: int = 512
    board: int = 5_000

    def __str__(self) -> str:
        return ",".join(f"{name}={getattr(self, name)}" for name in NAMES)


def read(name: str, text: str) -> Bounds:
    """`days=90,board=1000`; what is not named stays as it is. Raises ValueError."""
    out = Bounds()
    for part in text.split(","):
        word, _, number = part.strip().partition("=")
        least = 0 if word == "days" else 1
        if word not in NAMES or not number.isdigit() or not least <= int(number) <= 10**8:
            reason = f"{part!r} can't be read; use some of {out}"
            raise ValueError(f"{name}: {reason}")
        out = replace(out, **{word: int(number)})
    return out
