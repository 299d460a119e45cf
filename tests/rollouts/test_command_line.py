"""`make release`, and `python -m backend release`: from the tree to what boards may be given."""

from pathlib import Path

import pytest

from backend.__main__ import main
from backend.rollouts import archive
from tools import release


def test_a_release_of_the_tree_is_added_listed_and_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "var"))
    monkeypatch.setenv("LOG_LEVEL", "WARNING")
    (tmp_path / "var").mkdir()
    made = tmp_path / "made"
    assert release.main(["UNIX", str(made), "--version", "0.9.0"]) == 0
    capsys.readouterr()
    assert main(["release", "add", str(made), "--notes", "a test"]) == 0
    release_id, _, what = capsys.readouterr().out.partition("  ")
    assert what.startswith("UNIX 0.9.0, ") and what.endswith("a test\n")
    assert main(["release", "list"]) == 0
    assert capsys.readouterr().out == f"{release_id}  {what}"
    assert main(["release", "add", str(made)]) == 0
    assert "it was there already" in capsys.readouterr().out
    assert release.main(["UNIX", str(made) + ".zip", "--version", "0.9.0"]) == 0
    assert archive.of_zip(made.with_suffix(".zip").read_bytes()) == archive.of_folder(made)
    with pytest.raises(SystemExit):
        release.main(["UNIX", str(made) + ".zip"])
    capsys.readouterr()
    assert main(["release", "add", str(tmp_path)]) == 1
    assert "make release" in capsys.readouterr().err
    assert main(["release", "delete", release_id]) == 0
    assert main(["release", "delete", release_id]) == 1
    assert "there is no release" in capsys.readouterr().err
    assert list((tmp_path / "var" / "releases").iterdir()) == []
