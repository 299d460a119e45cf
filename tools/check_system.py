"""Says which programs the tests need from the system and which package brings them.

python -m tools.check_system
"""

import os
import shutil
import sys

# program, other places and names of it, package on Debian and Ubuntu, package on macOS
NEEDED = (
    ("mosquitto", ("mosquitto",), "mosquitto", "brew install mosquitto"),
    (
        "Chromium",
        ("chromium", "chromium-browser", "google-chrome", "Google Chrome", "Chromium"),
        "chromium",
        "brew install --cask chromium",
    ),
    ("openssl", ("openssl",), "openssl", "brew install openssl"),
    ("Node", ("npm",), "nodejs npm", "brew install node"),
)
FOLDERS = (
    "/usr/sbin",
    "/usr/local/sbin",
    "/opt/homebrew/sbin",
    "/Applications/Google Chrome.app/Contents/MacOS",
    "/Applications/Chromium.app/Contents/MacOS",
)


def found(names: tuple[str, ...]) -> str | None:
    """The path of the first of `names` that is installed, or None."""
    path = os.pathsep.join((os.environ.get("PATH", ""), *FOLDERS))
    return next((place for name in names if (place := shutil.which(name, path=path))), None)


def advice() -> str | None:
    """One line that says what to install, or None where nothing is missing."""
    missing = [row for row in NEEDED if found(row[1]) is None]
    if not missing:
        return None
    names = " and ".join(row[0] for row in missing)
    if sys.platform == "darwin":
        return f"the tests need {names}: " + " && ".join(row[3] for row in missing)
    return f"the tests need {names}: sudo apt-get install " + " ".join(row[2] for row in missing)


if __name__ == "__main__":
    sys.exit(advice())
