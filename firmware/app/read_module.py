"""A module of the user's own on flash: its `read(config)` returns a number, or a dict of them."""


class Reader:
    """See sensor_setup; `part` is the name in the dict."""

    def __init__(self, config):
        self._read, self._config = __import__(config["module"]).read, config["config"]
        self._values = None

    def begin(self):
        self._values = self._read(self._config)
        return 0

    def read(self, part):
        return self._values[part] if part else self._values  # type: ignore[index]
