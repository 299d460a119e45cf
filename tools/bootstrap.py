"""Makes the virtual environment `.venv` from a lock file. Needs nothing but Python itself.

    python3 tools/bootstrap.py requirements.lock [folder, for packages that only mypy reads]

Every package is pinned by version and hash. The project itself is made importable in place: a
.pth file for its packages and metadata for its version, so that nothing is built for it. This
file must also parse under the old Pythons it refuses.
"""

import glob
import os
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
PYTHON = os.path.join(VENV, "bin", "python")
OLDEST = (3, 11)
METADATA = ("Metadata-Version: 2.1", "Name: answerback")
IMPORTABLE = (ROOT, os.path.join(ROOT, "firmware", "lib"))

SITE = "import sysconfig; print(sysconfig.get_paths()['purelib'])"


def refuse_old_python() -> None:
    if sys.version_info < OLDEST:
        found = "{}.{}".format(*sys.version_info[:2])
        sys.exit(
            "Python {}.{} or newer is needed and {} is {}: install one, then say "
            "make PYTHON=python3.11 ...".format(*OLDEST, sys.executable, found)
        )


def refuse_missing_venv() -> None:
    try:
        import ensurepip  # noqa: F401 (Debian leaves it out of its python3 package)
    except ImportError:
        package = "python{}.{}-venv".format(*sys.version_info[:2])
        sys.exit("Python's venv is missing: sudo apt-get install " + package)


def run(*command: str) -> None:
    """Runs a command whose output is for the person who waits. Ends with a line on failure."""
    if subprocess.call(command) != 0:
        sys.exit("the set-up failed (see above): " + " ".join(command))


def make_venv() -> None:
    if not os.path.exists(PYTHON):
        print("making .venv", flush=True)
        run(sys.executable, "-m", "venv", VENV)


def install_project() -> None:
    """What an editable install would leave behind."""
    site = subprocess.check_output([PYTHON, "-c", SITE], text=True).strip()
    write(os.path.join(site, "answerback.pth"), *IMPORTABLE)
    for old in glob.glob(os.path.join(site, "answerback-*.dist-info")):
        shutil.rmtree(old)
    facts = os.path.join(site, "answerback-" + version() + ".dist-info")
    os.mkdir(facts)
    write(os.path.join(facts, "METADATA"), *METADATA, "Version: " + version())
    write(os.path.join(facts, "INSTALLER"), "tools/bootstrap.py")


def version() -> str:
    """The version in pyproject.toml."""
    import tomllib  # old Pythons, which this file refuses, do not have it

    with open(os.path.join(ROOT, "pyproject.toml"), "rb") as file:
        return str(tomllib.load(file)["project"]["version"])


def write(path: str, *lines: str) -> None:
    with open(path, "w") as file:
        file.write("\n".join(lines) + "\n")


def install(lock: str, folder: str) -> None:
    """Installs what `lock` names, into `folder` instead of the environment where one is given."""
    print("installing " + lock, flush=True)
    pip = [PYTHON, "-m", "pip", "--disable-pip-version-check", "install", "--require-hashes"]
    target = ["--no-deps", "--upgrade", "--target", folder] if folder else []
    run(*pip, *target, "-r", os.path.join(ROOT, lock))


def main(lock: str, folder: str = "") -> None:
    refuse_old_python()
    refuse_missing_venv()
    make_venv()
    install_project()
    install(lock, folder)


if __name__ == "__main__":
    main(*sys.argv[1:])
