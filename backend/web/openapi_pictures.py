"""What the API's description says of pictures."""

from typing import Any

from backend.web.pictures import PAGE, PAGE_MAX, ZIP_BYTES, ZIP_MAX
from backend.web.schemas import (
    FLAG,
    IDENTIFIER,
    MAYBE_TEXT,
    MAYBE_TIME,
    TEXT,
    TIME,
    WHOLE,
    Schema,
    _object,
    list_of,
    ref,
)

_MAYBE_WHOLE: Schema = {"type": ["integer", "null"]}
_PICTURE = {
    "id": WHOLE,
    "board_id": IDENTIFIER,
    "image_id": TEXT,
    "at": TIME,  # `taken_at`, or `received_at` where nobody knows that
    "taken_at": MAYBE_TIME,  # null: the board's clock was not set, or can't be right
    "received_at": TIME,
    "bytes": WHOLE,
    "sha256": TEXT,
    "width": _MAYBE_WHOLE,
    "height": _MAYBE_WHOLE,
    "whole": FLAG,
    "parts": _MAYBE_WHOLE,  # of `of` chunks
    "of": _MAYBE_WHOLE,
    "command_id": MAYBE_TEXT,  # what took it
    "readings": {
        "type": "object",
        "additionalProperties": _object({"value": {"type": "number"}, "unit": TEXT}),
    },
    "url": TEXT,
    "thumbnail": TEXT,
}

SCHEMAS: dict[str, Schema] = {
    "Picture": _object(_PICTURE),
    "Pictures": _object({"pictures": list_of(ref("Picture")), "next": MAYBE_TEXT}),
    "NewestPictures": _object({"pictures": list_of(ref("Picture"))}),
}


def _query(name: str, schema: Schema, about: str, **more: Any) -> Schema:
    return {"in": "query", "name": name, "schema": schema, "description": about, **more}


_LIMIT = {"type": "integer", "minimum": 1, "maximum": PAGE_MAX, "default": PAGE}
_PAGES = [
    _query("before", TEXT, "Only older than that; `next` holds it"),
    _query("limit", _LIMIT, "How many at most"),
]
_VERSION = [_query("v", TEXT, "As in `url`: with it, browsers keep the picture")]
_IDS = [_query("ids", TEXT, f"1 to {ZIP_MAX} ids of pictures, with commas between", required=True)]
_SEEN = (401, 403, 404)
_ONE = "/boards/{board_id}/pictures/{image_id}"
_SOME = f"Pictures of a board in one ZIP file, of {ZIP_BYTES // 1_000_000} MB at most"
_SMALL = "A small one of a picture; 404 where there can't be one"

ROWS: tuple[tuple[Any, ...], ...] = (
    ("get", "/pictures", "newestPictures", "The newest picture of each board one may look at",
     (200, "NewestPictures"), (401, 403)),
    ("get", "/boards/{board_id}/pictures", "listPictures", "A board's pictures, newest first",
     (200, "Pictures"), _SEEN, None, _PAGES),
    ("get", "/boards/{board_id}/pictures.zip", "zipPictures", _SOME, (200, None), _SEEN, None,
     _IDS, False, "application/zip"),
    ("get", _ONE, "getPicture", "What is known of a picture", (200, "Picture"), _SEEN),
    ("get", f"{_ONE}.jpg", "getPictureFile", "A picture as it was taken", (200, None), _SEEN,
     None, _VERSION, False, "image/jpeg"),
    ("get", f"{_ONE}/thumbnail.jpg", "getThumbnail", _SMALL, (200, None), (*_SEEN, 429), None,
     _VERSION, False, "image/jpeg"),
    ("delete", _ONE, "deletePicture", "Delete a picture; it is noted who did",
     (204, None), (*_SEEN, 413, 415)),
)  # fmt: skip
