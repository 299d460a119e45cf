"""Pictures over HTTP: listed, shown, small, in a ZIP, deleted by those who may; told of live."""

import io
import json
import zipfile
from typing import Any

import pytest
from PIL import Image
from protocol import image
from protocol.image_reading import Header
from protocol.topics import IMAGE, topic

from backend.people import audit
from tests.backend.running import Station, eventually
from tests.gallery.conftest import SEEN, TAKEN, parts
from tests.web.site import Client, Site
from tests.web.test_openapi import validator
from tests.web.village import Village

PICTURES = "boards/pond/pictures"


def send(station: Station, image_id: str, data: bytes = SEEN, captured: int = TAKEN) -> Any:
    """The board sends a picture; as the API shows it."""
    for said in parts(image_id, data, captured):
        if isinstance(said, Header):
            message = image.encode_header(said, station.key)
        else:
            message = image.encode_chunk(image_id, said.index, said.data, station.key)
        station.board.publish(topic("pond", IMAGE), message)
    return eventually(lambda: shown(station, image_id))


def shown(station: Station, image_id: str) -> Any:
    """The row of a picture, if it has one."""
    from backend.gallery import rows

    return next(iter(rows.some([("pond", image_id)])), None)


@pytest.fixture(scope="module")
def three(site: Site) -> list[str]:
    """The ids of three pictures, newest first."""
    for number in range(3):
        send(site.station, f"p{number}", captured=TAKEN + number)
    return ["p2", "p1", "p0"]


def test_they_are_listed_newest_first_page_by_page(
    site: Site, program: Client, three: list[str]
) -> None:
    first = program.call("GET", f"{PICTURES}?limit=2").json
    validator("Pictures").validate(first)
    rest = program.call("GET", first["next"]).json
    assert [one["image_id"] for one in first["pictures"] + rest["pictures"]] == three
    assert rest["next"] is None
    validator("Picture").validate(program.call("GET", f"{PICTURES}/p1").json)
    newest = program.call("GET", "pictures").json
    validator("NewestPictures").validate(newest)
    assert [one["image_id"] for one in newest["pictures"]] == ["p2"]
    for wrong in ("before=x", "before=1", "limit=0", "limit=999"):
        assert program.call("GET", f"{PICTURES}?{wrong}").status == 400


def test_a_file_is_as_it_was_taken_and_kept_by_browsers(program: Client, three: list[str]) -> None:
    one = program.call("GET", f"{PICTURES}/p1").json
    reply = program.call("GET", one["url"])
    assert reply.raw == SEEN and reply.headers["Content-Type"] == "image/jpeg"
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert (
        "immutable" in reply.headers["Cache-Control"]
        and "private" in reply.headers["Cache-Control"]
    )
    again = program.call("GET", one["url"], If_None_Match=reply.headers["ETag"])
    assert (again.status, again.raw) == (304, b"")
    bare = program.call("GET", f"{PICTURES}/p1.jpg")
    assert bare.raw == SEEN and bare.headers["Cache-Control"] == "private, no-cache"
    for name in ("none.jpg", "none", "p1.png", "..%2fp1.jpg", "none/thumbnail.jpg"):
        assert program.call("GET", f"{PICTURES}/{name}").status == 404


def test_thumbnails_are_made_once_and_never_of_what_is_none(
    site: Site, program: Client, three: list[str]
) -> None:
    one = program.call("GET", f"{PICTURES}/p0").json
    place = site.station.images.parent / "thumbnails" / "pond" / "p0.jpg"
    assert not place.exists()
    small = program.call("GET", one["thumbnail"])
    assert Image.open(io.BytesIO(small.raw)).size == (160, 120) and place.read_bytes() == small.raw
    place.write_bytes(b"as it is")
    assert program.call("GET", one["thumbnail"]).raw == b"as it is"
    send(site.station, "none-at-all", b"\xff\xd8\xff no picture")
    for _ in range(2):
        reply = program.call("GET", f"{PICTURES}/none-at-all/thumbnail.jpg")
        assert (reply.status, reply.json["error"]) == (404, "no_thumbnail")
    assert (place.parent / "none-at-all.jpg").read_bytes() == b""
    assert program.call("DELETE", f"{PICTURES}/none-at-all").status == 204


def test_some_come_as_one_file(
    program: Client, three: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    reply = program.call("GET", f"{PICTURES}.zip?ids=p0,p2")
    assert reply.headers["Content-Type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(reply.raw)) as archive:
        names = archive.namelist()
        assert [archive.read(name) for name in names] == [SEEN, SEEN]
    assert names[0].startswith("pond/2025-02-19") and names[0].endswith("_p0.jpg")
    assert program.call("GET", f"{PICTURES}.zip").json["field"] == "ids"
    assert program.call("GET", f"{PICTURES}.zip?ids=p0,none").status == 404
    many = ",".join(f"p{number}" for number in range(101))
    assert program.call("GET", f"{PICTURES}.zip?ids={many}").status == 400
    monkeypatch.setattr("backend.web.pictures.ZIP_BYTES", 2 * len(SEEN) - 1)
    large = program.call("GET", f"{PICTURES}.zip?ids=p0,p2")
    assert (large.status, large.json["error"]) == (400, "too_large")


def test_site_admins_delete_and_pages_are_told(site: Site, village: Village) -> None:
    events = site.station.backend.events.subscribe(None)
    send(site.station, "short-lived")
    path = site.station.images / "pond" / "short-lived.jpg"
    village.client("vic").call("GET", f"{PICTURES}/short-lived/thumbnail.jpg")
    assert village.client("oda").call("DELETE", f"{PICTURES}/short-lived").status == 403
    assert path.exists()
    sam = village.client("sam")
    assert sam.call("DELETE", f"{PICTURES}/short-lived").status == 204
    assert sam.call("DELETE", f"{PICTURES}/short-lived").status == 404
    eventually(lambda: not path.exists())
    assert not (site.station.images.parent / "thumbnails/pond/short-lived.jpg").exists()
    (noted,) = [row for row in audit.find(action="picture.delete") if row["user"] == "sam"]
    assert noted["detail"]["image"] == "short-lived"
    told: list[Any] = []
    for batch in events:
        told += [data for _, kind, data in batch if kind == "picture"]
        if told and told[-1]["gone"]:
            break
    assert [(one["image_id"], one["gone"], one["site"]) for one in told] == [
        ("short-lived", False, "north"),
        ("short-lived", True, "north"),
    ]
    events.end()


def test_whoever_sees_the_board_sees_its_pictures_and_nobody_else(
    site: Site, village: Village, three: list[str]
) -> None:
    for user, status in (("vic", 200), ("eve", 403)):
        client = village.client(user)
        for path in ("", "/p1", "/p1.jpg", "/p1/thumbnail.jpg", ".zip?ids=p1"):
            assert client.call("GET", PICTURES + path).status == status, (user, path)
        newest = json.loads(client.call("GET", "pictures").raw)["pictures"]
        assert [one["board_id"] for one in newest] == (["pond"] if status == 200 else [])


def test_a_thumbnail_is_shown_where_none_can_be_kept(
    site: Site, program: Client, three: list[str]
) -> None:
    folder = site.station.images.parent / "thumbnails"
    folder.rename(folder.with_name("aside"))
    folder.write_text("a file where the folder should be")
    reply = program.call("GET", f"{PICTURES}/p2/thumbnail.jpg")
    assert Image.open(io.BytesIO(reply.raw)).size == (160, 120)
    folder.unlink()
    folder.with_name("aside").rename(folder)
