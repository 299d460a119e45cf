"""How large each compiled file of the firmware is, and how large it may become.

    python -m tools.sizes [board, default UNIX]

The firmware's files by what they cost a board: `resident` is loaded for as long as it runs, `on
demand` is imported for one job and let go, `names` is read once (see slim.py), `protocol` is the
contract, `fixed` chooses a release, `library` is umqtt. `emulation` is not flashed: it stands for
the chip on this machine. What is resident is read from the imports that assembly.py and what it
imports have at their top, and lies in few files (see slim_bundles.py).

A budget is for what comes next: raise it where that is worth the memory, and say so in the commit.
"""

import sys
from pathlib import Path

from tools import stage, umqtt
from tools.emulator_process import MODULES
from tools.slim_bundles import home
from tools.slim_sources import staying

# group: (bytes in all, bytes of its largest file)
BUDGET = {
    "resident": (23_000, 11_500),
    "on demand": (53_000, 4_200),
    "names": (3_500, 3_500),
    "protocol": (12_300, 7_000),
    "fixed": (6_200, 2_100),
    "library": (2_000, 2_000),
    "emulation": (13_000, 1_500),
}

_BAR = 40  # columns


def resident() -> set[str]:
    """The files of app that stay, without their ends."""
    stay = (home(module).partition(".") for module in staying())
    return {"__init__", "flash", *(name for package, _, name in stay if package == "app")}


def measured(board: Path = stage.BOARDS / "UNIX") -> dict[str, dict[str, int]]:
    """{group: {file: bytes}} of a board's firmware. Raises StageError, FetchError."""
    stay = resident()
    out: dict[str, dict[str, int]] = {group: {} for group in BUDGET}
    for name, content in stage.release(board).items():
        out[_group(name, stay)][name] = len(content)
    out["fixed"] = {name: len(content) for name, content in stage.fixed(board).items()}
    for path in sorted(MODULES.glob("*.py")):
        out["emulation"][path.name] = len(stage.compiled(path, path.stem))
    return out


def _group(name: str, stay: set[str]) -> str:
    folder, _, file = name.partition("/")
    if name == "app/names":
        return "names"
    if folder == "app":
        return "resident" if file.removesuffix(".mpy") in stay else "on demand"
    return "protocol" if folder == "protocol" else "library"


def exceeded(sizes: dict[str, dict[str, int]]) -> list[str]:
    """What is over its budget, a line each that names the file."""
    out = []
    for group, files in sizes.items():
        in_all, each = BUDGET[group]
        for name, size in files.items():
            if size > each:
                out.append(f"{name} has {size:,} bytes; a file of {group!r} may have {each:,}")
        if sum(files.values()) > in_all:
            largest = max(files, key=lambda name: files[name])
            total = f"{group!r} has {sum(files.values()):,} bytes of {in_all:,}"
            out.append(f"{total}; its largest file is {largest} with {files[largest]:,}")
    return [f"{line}: make it smaller, or raise BUDGET in tools/sizes.py" for line in out]


def table(sizes: dict[str, dict[str, int]]) -> str:
    """For people: each file with a bar, each group with its budget."""
    longest = max(size for files in sizes.values() for size in files.values())
    lines = []
    for group, files in sizes.items():
        total, (in_all, _) = sum(files.values()), BUDGET[group]
        lines.append(f"{group}: {total:,} of {in_all:,} bytes ({100 * total // in_all} %)")
        for name, size in sorted(files.items(), key=lambda one: -one[1]):
            lines.append(f"{size:8,d}  {name:30} {'█' * max(1, size * _BAR // longest)}")
    shipped = sum(sum(files.values()) for group, files in sizes.items() if group != "emulation")
    return "\n".join(
        [*lines, f"{shipped:8,d}  bytes on a board, without its manifest and settings"]
    )


def main(arguments: list[str]) -> int:
    """The exit code: 1 where something is over its budget."""
    try:
        sizes = measured(stage.folder_of(arguments[0] if arguments else "UNIX"))
    except (stage.StageError, umqtt.FetchError) as error:
        sys.exit(str(error))
    print(table(sizes))
    over = exceeded(sizes)
    print("\n".join(over), file=sys.stderr)
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
