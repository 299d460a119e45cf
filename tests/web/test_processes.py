"""Two web processes and a worker, as processes of their own, one or the other killed."""

import contextlib
import http.client
import json
import os
import pickle
import signal
import stat
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from backend import gate, remote
from backend.errors import Away, Busy, Invalid, NotFound, Slow
from backend.service import Backend
from tests.backend.installation import Installation
from tests.backend.running import eventually
from tests.rollouts.squad import content, zipped
from tools.brokers import free_port
from tools.chaos_http import API, Api

PING = {"board_id": "pond", "command_type": "ping", "expires_in": 3600}


class Parts:
    """An installation whose worker can be killed and started; its webs stay."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.installation = Installation(folder)
        self.installation.run("enroll", "pond")
        self.token = self.installation.run("token", "a test").stdout.strip()
        self.installation.run("password")  # to what it types
        self._stack = stack
        self.start()
        self.ports = (free_port(), free_port())
        self.processes = [self.web(port) for port in self.ports]
        self.webs = tuple(Api(port, self.token) for port in self.ports)
        self.ready()

    def start(self, *words: str, module: str = "backend") -> None:
        """Start the worker."""
        running = self.installation.running(*words, "worker", module=module)
        self.worker = self._stack.enter_context(running)

    def web(self, port: int) -> subprocess.Popen[str]:
        """Start a web."""
        return self._stack.enter_context(self.installation.running("web", "--port", str(port)))

    def kill(self) -> None:
        """As a power cut would, as far as this process goes."""
        self.worker.kill()
        self.worker.wait()

    def ready(self) -> None:
        """Wait until the worker serves both."""
        eventually(lambda: {web.call("GET", "health")[0] for web in self.webs} == {200})

    def events(self, port: int) -> http.client.HTTPResponse:
        """A stream that is open."""
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=15)
        headers = {"Authorization": f"Bearer {self.token}"}
        connection.request("GET", f"{API}/events", headers=headers)
        answer = connection.getresponse()
        assert answer.status == 200
        return answer


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parts]:
    with ExitStack() as stack:
        folder = tmp_path_factory.mktemp("parts") / ("long" * 25)  # for a socket's address
        yield Parts(folder, stack)


@pytest.fixture
def parts(running: Parts) -> Parts:
    """All three, whatever the test before has done to one."""
    running.ready()
    return running


def next_command(stream: http.client.HTTPResponse) -> Any:
    """The command of the stream's next event of one."""
    for line in stream:
        if line == b"event: command\n":
            return json.loads(stream.readline().removeprefix(b"data: "))
    return None


def post(web: Api, key: str) -> tuple[int, Any]:
    return web.call("POST", "commands", PING, Idempotency_Key=key)


def test_a_key_is_one_command_over_any_of_the_webs(parts: Parts) -> None:
    answers = [post(web, "once") for web in parts.webs]
    assert [status for status, _ in answers] == [202, 202]
    assert len({command["id"] for _, command in answers}) == 1
    status, refused = parts.webs[0].call(
        "POST", "commands", {**PING, "board_id": "nowhere"}, Idempotency_Key="other"
    )
    assert (status, refused["error"], refused["field"]) == (404, "unknown_board", "board_id")
    feed = {"board_id": "pond", "command_type": "feed", "target": "feeder1", "dry_run": True}
    status, refused = parts.webs[1].call("POST", "commands", {**feed, "parameters": {"amount": 1}})
    assert (status, refused["error"]) == (409, "no_twin")  # it has said nothing of itself yet


def test_a_release_brought_over_one_is_rolled_out_over_the_other(parts: Parts) -> None:
    one, other = parts.webs
    kind = {"Content_Type": "application/zip"}
    status, release = one.call("POST", "releases", raw=zipped(content()), **kind)
    assert status == 201, release
    wanted = {"release": release["id"], "selection": {"boards": ["pond"]}}
    status, refused = other.call("POST", "rollouts", wanted)
    assert (status, refused["error"]) == (409, "no_boards")
    assert "pond was never heard" in refused["message"]
    assert other.call("DELETE", f"releases/{release['id']}")[0] == 204
    assert one.call("GET", "releases") == (200, {"releases": []})


def test_a_site_made_over_one_is_changed_and_given_a_board_over_the_other(parts: Parts) -> None:
    one, other = parts.webs
    stream = parts.events(parts.ports[0])
    assert one.call("POST", "sites", {"id": "farm", "name": "Farm"})[0] == 201
    status, changed = other.call("PATCH", "sites/farm", {"owner": "Ann"})
    assert (status, changed["owner"]) == (200, "Ann")
    status, board = other.call("POST", "boards/pond/map", {"site": "farm"})
    assert status in (200, 202), board
    assert one.call("GET", "boards/pond")[1]["site"] == "farm"
    assert [web.call("GET", "topics")[0] for web in parts.webs] == [200, 200]
    assert b"event: sites\n" in iter(stream.readline, b"")
    stream.close()


def test_metrics_are_the_workers(parts: Parts) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", parts.ports[0], timeout=15)
    connection.request("GET", "/metrics")
    answer = connection.getresponse()
    assert answer.status == 200 and b"answerback_boards_known 1" in answer.read()
    connection.close()


def test_an_event_reaches_the_watchers_of_both(parts: Parts) -> None:
    streams = [parts.events(port) for port in parts.ports]
    _, command = post(parts.webs[0], "watched")
    assert [next_command(stream)["id"] for stream in streams] == [command["id"]] * 2
    for stream in streams:
        stream.close()


def test_a_worker_killed_after_its_commit_has_the_command_when_it_is_asked_again(
    parts: Parts,
) -> None:
    parts.kill()
    parts.start("after_commit", "1", module="tools.chaos_crashing")
    parts.ready()
    status, said = post(parts.webs[0], "cut")
    assert (status, said["error"]) == (503, "worker_away")
    assert "same Idempotency-Key" in said["message"]
    assert parts.worker.wait(10) == -signal.SIGKILL
    kept = parts.webs[1].call("GET", "commands")[1]["commands"][0]
    parts.start()
    parts.ready()
    assert [post(web, "cut")[1]["id"] for web in parts.webs] == [kept["id"]] * 2


def test_while_the_worker_is_away_it_is_said_and_nothing_is_done(parts: Parts) -> None:
    stream = parts.events(parts.ports[0])
    parts.kill()
    assert next_command(stream) is None  # it ends, so that whoever watches comes back
    connection = http.client.HTTPConnection("127.0.0.1", parts.ports[0], timeout=15)
    headers = {"Authorization": f"Bearer {parts.token}", "Content-Type": "application/json"}
    for method, path, body in (
        ("POST", "commands", json.dumps(PING)),
        ("GET", "boards", None),
        ("GET", "events", None),
    ):
        connection.request(method, f"{API}/{path}", body, headers)
        answer = connection.getresponse()
        said = json.loads(answer.read())
        assert (answer.status, said["error"]) == (503, "worker_away"), path
        assert answer.headers["Retry-After"] == "2"
    assert parts.webs[0].call("GET", "commands")[0] == 200  # history needs no worker
    parts.start()
    parts.ready()
    assert post(parts.webs[0], "after")[0] == 202


def test_what_both_webs_accepted_survives_a_worker_killed_under_load(parts: Parts) -> None:
    promised: dict[str, str] = {}
    ending = threading.Event()

    def persist(web: Api, name: str) -> None:
        number = 0
        while not ending.is_set():
            number += 1
            key = f"load-{name}-{number}"
            promised[key] = web.post(key, "pond", "ping", expires_in=3600)[0]["id"]

    threads = [
        threading.Thread(target=persist, args=(web, f"{port}-{n}"))
        for web, port in zip(parts.webs, parts.ports, strict=True)
        for n in range(2)
    ]
    for thread in threads:
        thread.start()
    for wanted in (20, 40, 60):
        eventually(partial(_more, promised, wanted))
        parts.kill()
        parts.start()
    eventually(partial(_more, promised, len(promised) + 20))
    ending.set()
    for thread in threads:
        thread.join(30)
    kept = {one["id"] for one in parts.webs[0].commands("pond")}
    assert len(set(promised.values())) == len(promised)
    assert set(promised.values()) <= kept


def _more(promised: dict[str, str], wanted: int) -> bool:
    return len(promised) > wanted


def test_a_web_killed_under_load_troubles_nobody_else(parts: Parts) -> None:
    victim = parts.ports[0]
    streams = [parts.events(port) for port in parts.ports]  # one of them is cut off
    process = parts.processes[0]
    status, first = post(parts.webs[0], "of-the-victim")
    assert status == 202
    ending = threading.Event()

    def load() -> None:
        with contextlib.suppress(OSError, http.client.HTTPException):
            while not ending.is_set():
                parts.webs[0].call("POST", "commands", PING)

    threads = [threading.Thread(target=load) for _ in range(4)]
    for thread in threads:
        thread.start()
    process.kill()
    process.wait()
    ending.set()
    for thread in threads:
        thread.join(20)
    assert post(parts.webs[1], "of-the-victim")[1]["id"] == first["id"]
    status, later = post(parts.webs[1], "after-the-victim")
    assert status == 202
    while next_command(streams[1])["id"] != later["id"]:
        pass
    streams[1].close()
    parts.processes[0] = parts.web(victim)
    parts.ready()
    assert post(parts.webs[0], "after-the-victim")[1]["id"] == later["id"]


def test_a_worker_that_hangs_does_not_hang_the_webs(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "ANSWER_SECONDS", 0.2)
    wire = remote.Wire(parts.installation.folder)
    assert wire.ask("healthy", (), {})
    parts.worker.send_signal(signal.SIGSTOP)
    os.waitpid(parts.worker.pid, os.WUNTRACED)  # until it has stopped
    try:
        with pytest.raises(Away, match="may have been done"):
            wire.ask("healthy", (), {})
        with pytest.raises(Away, match="nothing was done"):
            wire.ask("healthy", (), {})
    finally:
        parts.worker.send_signal(signal.SIGCONT)
        wire.close()


def test_only_who_has_the_key_is_listened_to(parts: Parts) -> None:
    folder = parts.installation.folder
    for name in (gate.SOCKET, gate.KEY):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
    with pytest.raises(gate.BROKEN):
        remote.connected(folder, b"x" * 32)
    assert post(parts.webs[0], "still")[0] == 202


def test_the_page_says_that_the_worker_is_away_and_comes_back(
    parts: Parts, browser: Browser
) -> None:
    page = browser.new_page()
    page.goto(f"http://127.0.0.1:{parts.ports[0]}/")
    page.get_by_label("User").fill("admin")
    page.get_by_label("Password").fill("a long enough one")
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("#live")).to_have_text("Live")
    parts.kill()
    expect(page.locator("#banner")).to_contain_text("worker is away", timeout=15_000)
    parts.start()
    expect(page.locator("#banner")).to_contain_text("Connected again", timeout=15_000)
    page.close()


@pytest.mark.parametrize(
    "refusal",
    [
        Invalid("malformed", "name", "must be short"),
        NotFound("unknown", "id", "is none"),
        Busy("busy", "later", 7),
        Slow("slow", "", "later", 5),
    ],
)
def test_a_refusal_is_the_same_on_the_other_side(refusal: Any) -> None:
    again = pickle.loads(pickle.dumps(refusal))
    assert (type(again), str(again), vars(again)) == (type(refusal), str(refusal), vars(refusal))


def test_every_call_of_the_backend_can_be_made_from_a_web() -> None:
    """Whoever gives Backend a new method gets it there, too; a property must be thought about."""
    public = {name for name in vars(Backend) if not name.startswith("_")}
    assert public <= set(vars(remote.Remote))
