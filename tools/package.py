"""Writes package.json, by which `mip` installs the firmware's library onto a board.

    python -m tools.package
    mpremote connect PORT mip install ./package.json        from a checkout
    mpremote connect PORT mip install github:OWNER/NAME     from a repository

It names what every board's manifest names, but neither what chooses a release, which is no
library, nor what is required from elsewhere: umqtt.simple is in MicroPython's own ESP32 images.
The sources come as they are, and are compiled on the board: `make deploy` is kinder to memory.
"""

import json
from pathlib import Path

from tools.stage import BOARDS, CHOOSING, ROOT, Manifest

PATH = ROOT / "package.json"


def content() -> str:
    """What package.json has to hold."""
    version = (ROOT / "firmware" / "app" / "__init__.py").read_text().split('VERSION = "')[1]
    urls = [
        [place.removeprefix("lib/"), str(source.relative_to(ROOT))]
        for place, source in sorted(Manifest(BOARDS / "manifest.py").sources.items())
        if place not in CHOOSING and _ours(source)
    ]
    listed = ",\n".join(f"  {json.dumps(url)}" for url in urls)
    number = json.dumps(version.split('"')[0])
    return f'{{\n "version": {number},\n "deps": [],\n "urls": [\n{listed}\n ]\n}}\n'


def _ours(source: Path) -> bool:
    return (ROOT / "firmware") in source.parents


if __name__ == "__main__":
    PATH.write_text(content())
