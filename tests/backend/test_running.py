"""The backend with its threads, a real broker and a real database file."""

import itertools
import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from protocol import decode, encode
from protocol.limits import ID_LENGTH
from protocol.topics import topic

from backend.brokers.broker import EmbeddedBroker
from backend.delivery.work import Outcome, Work
from backend.dialects.answerback import KINDS
from tests.backend.running import Station, eventually
from tools.brokers import MosquittoBroker

FUZZED = 10_000


@pytest.fixture(params=[EmbeddedBroker, MosquittoBroker])
def station(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Station]:
    station = Station(tmp_path, request.param)
    yield station
    station.close()


def finished(station: Station, command_id: str) -> bool:
    return bool(station.backend.command(command_id)["status"] == "COMPLETED")


def test_a_command_goes_out_and_its_story_comes_back(station: Station) -> None:
    with station.backend.events.subscribe(0) as events:
        posted = station.feed()
        station.answer(station.next_command(), "accepted", "completed")
        seen = []
        for _, kind, data in itertools.chain.from_iterable(events):
            if kind == "command":
                seen.append(data["status"])
                if seen[-1] == "COMPLETED":
                    break
    assert seen == ["PENDING", "SENT", "ACKNOWLEDGED", "COMPLETED"]
    assert finished(station, posted["id"])


def test_a_watcher_that_comes_back_gets_what_it_missed(station: Station) -> None:
    posted = station.feed()
    station.answer(station.next_command(), "accepted", "completed")
    eventually(lambda: finished(station, posted["id"]))
    first = station.backend.command(posted["id"])["history"][1]["id"]
    with station.backend.events.subscribe(first) as events:
        missed = next(iter(events))
    assert [data["status"] for _, _, data in missed] == ["ACKNOWLEDGED", "COMPLETED"]


def test_a_restart_with_answers_under_way_loses_nothing(station: Station) -> None:
    posted = station.feed()
    command = station.next_command()
    station.backend.stop()
    station.answer(command, "accepted", "completed")  # the broker keeps them for the session
    station.start()
    eventually(lambda: finished(station, posted["id"]))


def test_the_broker_killed_and_back_is_only_a_delay(station: Station) -> None:
    station.broker.kill()
    eventually(lambda: not station.backend.health()["mqtt"]["connected"])
    posted = station.feed()
    station.broker.start()
    eventually(lambda: station.backend.health()["mqtt"]["connected"])
    station.board.close()
    station.connect()
    station.answer(station.next_command(), "accepted", "completed")
    eventually(lambda: finished(station, posted["id"]))


def test_the_longest_boot_id_is_told_the_time(station: Station) -> None:
    boot = "b" * ID_LENGTH
    station.startup(boot)
    told: dict[str, object] = {}
    while told.get("boot") != boot:
        told = decode("command", station.board.receive().payload, station.key)["parameters"]
    assert not station.backend.failed.is_set()


def test_a_message_that_cannot_be_sent_is_counted_and_ends_nothing(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = Work.finish

    def finish(work: Work) -> Outcome:
        for _, message in work.out.publish:
            message["attempt"] = 0
        return right(work)

    with monkeypatch.context() as patch:
        patch.setattr(Work, "finish", finish)
        station.feed()
        eventually(lambda: station.backend.health()["refused"].get("malformed"))
    assert not station.backend.failed.is_set()
    station.startup()  # whoever could not be reached is, as soon as the bug is gone
    station.answer(station.next_command(), "accepted", "completed")


def mutated(rng: random.Random, sample: bytes) -> bytes:
    """Bytes that were a good message once, or never."""
    raw = bytearray(sample)
    while raw == sample:  # what is put in may be what was there
        for _ in range(rng.randint(1, 8)):
            raw[rng.randrange(len(raw))] = rng.randrange(256)
    kinds = [bytes(raw), sample[: rng.randrange(len(sample))], rng.randbytes(rng.randrange(300))]
    return rng.choice(kinds)


def resident_bytes() -> int:
    """The memory this process holds (Linux; elsewhere 0, so that nothing seems to grow)."""
    statm = Path("/proc/self/statm")
    if not statm.exists():
        return 0
    return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_hostile_bytes_are_counted_and_end_nothing(station: Station) -> None:
    rng = random.Random(4)
    status = {"status": "online", "boot": "b1", "session": 1, "until": 0}
    sample = encode("status", status, station.key)
    topics = [topic("pond", leaf) for leaf in KINDS]
    refused = station.backend.health()["refused"]

    def send(count: int) -> None:
        wanted = sum(station.backend.health()["refused"].values()) + count
        for _ in range(count):
            station.board.send(rng.choice(topics), mutated(rng, sample))
        eventually(lambda: sum(station.backend.health()["refused"].values()) >= wanted)

    send(FUZZED // 5)
    before = resident_bytes()
    for _ in range(4):
        send(FUZZED // 5)
    assert resident_bytes() - before < 8_000_000
    assert refused == {}
    assert set(station.backend.health()["refused"]) <= {
        "bad_signature",
        "malformed",
        "too_large",
    }
    posted = station.feed()
    station.answer(station.next_command(), "accepted", "completed")
    eventually(lambda: finished(station, posted["id"]))
