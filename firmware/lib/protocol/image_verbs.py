"""The verbs of a camera. A board takes them in where it has one, the backend always."""

from .fields import boolean, identifier, text, whole
from .verbs import SET, VERBS, Case, Verb

NAMES = ("capture_image", "send_image", "list_images", "delete_image")


def add():
    """Put them into VERBS.

    A picture is sent by itself unless `send` is false. `send_image` without an id sends all that
    were not sent whole; `missing` are the chunks to send, such as "0-3,7".
    """
    none: dict = {}
    photo = {"quality": whole(1, 100, "%"), "flash": boolean, "send": boolean}
    cases = (
        Case(SET, none, photo),
        Case(SET, none, {"image_id": identifier, "missing": text}),
        Case(SET, none, none),
        Case(SET, {"image_id": identifier}, none),
    )
    for name, case in zip(NAMES, cases):
        VERBS[name] = Verb(None, {None: case}, None, False)
