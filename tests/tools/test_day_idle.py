"""Time is not skipped while somebody still works on what is waited for."""

import subprocess
import sys
from pathlib import Path

import pytest

from tools.day_idle import soon

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux says who works")

BUSY = """
import pathlib, sys, time
print("begun", flush=True)
end = time.process_time() + 0.3
while time.process_time() < end:
    pass
pathlib.Path(sys.argv[1]).touch()
sys.stdin.read()
"""


def test_who_works_is_waited_for_and_who_rests_is_not(tmp_path: Path) -> None:
    done = tmp_path / "done"
    command = [sys.executable, "-c", BUSY, str(done)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as busy:
        assert busy.stdout and busy.stdin
        busy.stdout.readline()
        assert soon(done.exists, 0.01), "0.3 s of work take longer than that"
        assert not soon((tmp_path / "never").exists, 0.01), "nobody works on it any more"
        busy.stdin.close()
