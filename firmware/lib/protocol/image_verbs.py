"""The verbs of a camera. A board takes them in where it has one, the backend always."""

from .fields import boolean, identifier, text, whole
from .verbs import SET, VERBS, Case, Verb


def add():
    """Put them into VERBS; returns their names.

    A picture is sent by itself unless `send` is false. `send_image` without an id sends all that
    were not sent whole; `missing` are the chunks to send, such as "0-3,7".
    """
    none: dict = {}
    photo = {"quality": whole(1, 100, "%"), "flash": boolean, "send": boolean}
    cases = (
        ("capture_image", Case(SET, none, photo)),
        ("send_image", Case(SET, none, {"image_id": identifier, "missing": text})),
        ("list_images", Case(SET, none, none)),
        ("delete_image", Case(SET, {"image_id": identifier}, none)),
    )
    for name, case in cases:
        VERBS[name] = Verb(None, {None: case}, None, False)
    return [name for name, _ in cases]
