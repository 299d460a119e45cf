"""The backend in parts: one `worker` (broker links, writer) and any number of `web` processes.

All run on one machine and one data folder. `serve` is both in one process, and quicker: what a web
process passes on to the worker costs two more hand-overs.
"""

import dataclasses
import threading

from backend.application import Application, ending_signals, make_server, one_processor
from backend.brokers.broker import check_port_free
from backend.people.accounts import Accounts
from backend.remote import Remote
from backend.schema import open_database
from backend.settings import Settings


def worker(options: Settings) -> int:
    """Run all but the web side until a signal, or until a part fails. Returns the exit code."""
    ending = ending_signals()
    application = Application(options, web=False)
    application.start()
    print(f"Answerback: the worker of {options.data_dir} is ready", flush=True)
    if application.admin_password:
        print(f"sign in as admin with {application.admin_password}", flush=True)
    failed = application.wait(ending)
    application.stop()
    return 1 if failed else 0


def web(options: Settings, port: int | None) -> int:
    """Run a web side until a signal; the worker may come and go. Returns the exit code."""
    ending = ending_signals()
    if port is not None:
        options = dataclasses.replace(options, http_port=port)
    side = WebSide(options)
    side.start()
    print(f"Answerback: http://{options.http_host}:{options.http_port}/", flush=True)
    side.wait(ending)
    side.stop()
    return 0


class WebSide:
    """A web side of its own."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._database = open_database(settings.database)
        self.backend = Remote(settings.data_dir)
        self._server = make_server(self.backend, Accounts(), settings)

    def start(self) -> None:
        """Serve. Raises BrokerError or OSError with a line that says what to do."""
        check_port_free(self._settings.http_host, self._settings.http_port, "HTTP_PORT")
        with one_processor():
            self.backend.start()
            self._server.start()

    def wait(self, ending: threading.Event) -> None:
        """Return when it is time to end."""
        ending.wait()

    def stop(self) -> None:
        """End, once what is under way is answered."""
        self.backend.events.close()
        self._server.stop()
        self.backend.stop()
        self._database.close()
