"""Pictures over a link that loses a tenth of their pieces; `make chaos` takes 200."""

from pathlib import Path

from tools import chaos_pictures

COUNT = 4


def test_all_are_kept_once_and_as_they_were_taken(tmp_path: Path, seed: int) -> None:
    report = chaos_pictures.run(tmp_path, COUNT, seed, lambda: None, boards=2, kills=1)
    print("\n".join(report.lines()))
    assert report.violations == []
    assert report.counts["pictures kept, each as it was taken"] == COUNT
    assert report.counts["pieces lost"] > 0
    assert report.counts["times the backend was killed"] == 1
