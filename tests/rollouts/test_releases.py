"""What is taken for a release, and who gets its files."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from protocol import signature

from backend import manifest
from backend.errors import Invalid, NotFound, Refusal
from backend.fleet import boards
from backend.rollouts import archive, fitting, releases
from backend.rollouts.releases import Delete, Release
from backend.rollouts.wishes import Abort
from tests.backend.fleet import done, refusal
from tests.rollouts.squad import NEW, Squad, added, content, zipped

Files = dict[str, bytes]


def key_of(board_id: str) -> bytes:
    return bytes.fromhex(boards.get(board_id).key)


def resaid(files: Files, name: str) -> Files:
    """A release with one more file of that name, which its release.json names."""
    inside = {k: v for k, v in files.items() if "/" in k} | {name: b"x"}
    said = {manifest.NAME: manifest.manifest(NEW, inside)}
    return {**inside, **said, manifest.ABOUT: files[manifest.ABOUT]}


def signed(files: Files) -> Files:
    return {**files, manifest.NAME: manifest.signed(files[manifest.NAME], bytes(32))}


WRONG: dict[str, tuple[Callable[[Files], Files], str]] = {
    "no release.json": (lambda f: {k: v for k, v in f.items() if k != manifest.NAME}, "has no"),
    "no about.json": (lambda f: {k: v for k, v in f.items() if k != manifest.ABOUT}, "has no"),
    "damaged about": (lambda f: {**f, manifest.ABOUT: b'{"board": "../x"}'}, "damaged about"),
    "no JSON": (lambda f: {**f, manifest.NAME: b"[" * 5000}, "damaged release.json"),
    "a list": (lambda f: {**f, manifest.NAME: b"[]"}, "damaged release.json"),
    "a file more": (lambda f: {**f, "app/more.mpy": b""}, "which release.json does not name"),
    "a file less": (lambda f: {k: v for k, v in f.items() if k != "app/node.mpy"}, "lacks"),
    "a changed file": (lambda f: {**f, "app/node.mpy": b"?"}, "is damaged"),
    "a way out": (lambda f: resaid(f, "../evil"), "a path no board takes"),
    "an absolute path": (lambda f: resaid(f, "/evil"), "a path no board takes"),
    "a long path": (lambda f: resaid(f, "a" * 65), "a path no board takes"),
    "signed": (signed, "not signed"),
    "spaces": (lambda f: {**f, manifest.NAME: f[manifest.NAME] + b" "}, "as make release writes"),
    "too big": (lambda f: resaid({**f, "app/big": bytes(archive.BYTES_MAX)}, "app/x"), "at most"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_no_release_is_refused_and_told_why(what: str) -> None:
    change, said = WRONG[what]
    with pytest.raises(Invalid, match=said):
        archive.checked(archive.of_zip(zipped(change(content()))))


def test_a_zip_may_hold_the_folder_itself(tmp_path: Path) -> None:
    plain = archive.checked(content())
    assert archive.checked(archive.of_zip(zipped(content(), "made/by/hand/"))) == plain
    for name, data in content().items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    assert archive.checked(archive.of_folder(tmp_path)) == plain
    with pytest.raises(Invalid, match="make release"):
        archive.of_folder(tmp_path / "app")


@pytest.mark.parametrize("data", [b"", b"no zip", zipped(content())[:-30], zipped(content())[40:]])
def test_what_is_no_zip_is_refused(data: bytes) -> None:
    with pytest.raises(Invalid):
        archive.checked(archive.of_zip(data))


def test_a_bomb_is_not_unpacked() -> None:
    with pytest.raises(Invalid, match="at most"):
        archive.of_zip(zipped({"a": bytes(archive.BYTES_MAX + 1)}))
    with pytest.raises(Invalid, match="at most"):
        archive.of_zip(zipped({f"{n}": b"" for n in range(archive.FILES_MAX + 3)}))


def test_a_damaged_zip_is_refused_or_does_not_matter(seed: int) -> None:
    good, choice = zipped(content()), random.Random(seed)
    whole, refused = archive.checked(content()), 0
    for _ in range(400):
        data = bytearray(good)
        for _ in range(choice.randint(1, 4)):
            data[choice.randrange(len(data))] = choice.randrange(256)
        try:
            assert archive.checked(archive.of_zip(bytes(data))) == whole
        except Invalid:
            refused += 1
    assert refused > 200


def test_it_is_taken_once_and_never_changed(squad: Squad) -> None:
    assert added(squad.folder) == squad.release
    assert Release.select().count() == 1
    with pytest.raises(Refusal, match="holds something else"):
        added(squad.folder, more="changed")
    folder = squad.folder / releases.FOLDER
    assert [path.name for path in folder.iterdir()] == [squad.release]
    done(squad, Delete(folder, squad.release))
    assert not list(folder.iterdir()) and not Release.select().count()
    assert refusal(squad, Delete(folder, squad.release)) == ("unknown_release", "release")
    assert added(squad.folder) == squad.release


def test_files_that_can_not_be_removed_end_nothing(squad: Squad) -> None:
    no_folder = squad.folder / "test.db"
    done(squad, Delete(no_folder, squad.release))
    assert not Release.select().count()
    assert added(squad.folder) == squad.release


def test_files_that_are_lost_come_back_with_the_same_release(squad: Squad) -> None:
    place = squad.folder / releases.FOLDER / squad.release
    place.rename(place.with_name("away"))
    assert added(squad.folder) == squad.release and place.exists()
    assert Release.select().count() == 1


def test_a_board_gets_its_own_while_it_is_under_way(squad: Squad) -> None:
    folder = squad.folder / releases.FOLDER
    squad.begin(canary=1)
    seal = squad.ordered("b1")[0]["url"].split("/")[-2]

    def fetch(board: str = "b1", name: str = manifest.NAME, key: str = seal) -> bytes:
        return releases.served(folder, board, squad.release, key, name)

    said = fetch()
    signature.check([said[: -signature.TAIL], b"}"], said[-signature.TAIL :], key_of("b1"))
    assert manifest.sha256(said) == squad.ordered("b1")[0]["sha256"]
    assert fetch(name="app/node.mpy") == b"node"
    other = seal[:-1] + "ü"
    refused = [("b2", manifest.NAME, seal), ("b1", "about.json", seal), ("b1", "../x", seal),
               ("nobody", manifest.NAME, seal), ("b1", manifest.NAME, other)]  # fmt: skip
    for one in refused:
        with pytest.raises(NotFound, match="nothing here"):
            fetch(*one)
    assert refusal(squad, Delete(folder, squad.release)) == ("in_use", "release")
    done(squad, Abort(squad.rollout, "ann"))
    with pytest.raises(NotFound):
        fetch()


@pytest.mark.parametrize(
    ("new", "old", "later"),
    [("0.10.0", "0.9.9", True), ("1.0", "1.0.0", True), ("1.0", "1.0-rc2", True),
     ("1.0-rc10", "1.0-rc.2", True), ("1.0-rc.10", "1.0-rc.9", True), ("1.0-rc1", "1.0", False),
     ("0.9", "0.10", False), ("1.0+a", "1.0+b", True), ("2", "test", False),
     ("test", "1", False), ("", "", False)],
)  # fmt: skip
def test_which_version_is_later(new: str, old: str, later: bool) -> None:
    assert fitting.is_later(new, old) is later
