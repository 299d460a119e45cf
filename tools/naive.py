"""The kind of backend this project replaces, to compare with: small, usual, and it works.

Bottle, peewee and paho as they are mostly put together: a POST inserts a row and is done; a thread
looks for waiting rows every 5 s and publishes them; every change of a status is a commit of its
own, made where the change is noticed. SQLite with its default journal, which is also its safest.
It speaks the same protocol, so that the same boards answer it. It has no history, no retry, no
expiry, no sign-in and no event stream, which is all in its favour here.
"""

import argparse
import json
import threading
import time
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import bottle
import paho.mqtt.client as paho
import peewee
from paho.mqtt.enums import CallbackAPIVersion
from protocol import decode, encode
from protocol.signature import key_from_hex
from protocol.topics import ACK, COMMANDS, STATUS, parse, topic

from tools.bench_mqtt import no_delay

POLL_SECONDS = 5.0
LIFE_SECONDS = 600

database = peewee.SqliteDatabase(None, timeout=60)
writing = threading.Lock()  # SQLite takes one writer; waiting here beats being told it is locked


class Command(peewee.Model):
    """One command; times are seconds since 1970, committed with the status they belong to."""

    id = peewee.TextField(primary_key=True)
    board_id = peewee.TextField()
    command_type = peewee.TextField()
    target = peewee.TextField()
    parameters = peewee.TextField()
    reason = peewee.TextField(default="")
    status = peewee.TextField(default="PENDING", index=True)
    created_at = peewee.FloatField()
    sent_at = peewee.FloatField(null=True)
    accepted_at = peewee.FloatField(null=True)
    completed_at = peewee.FloatField(null=True)

    class Meta:
        database = database


class Naive:
    """The whole backend. `keys` is {board id: 64 hexadecimal digits}."""

    def __init__(self, broker_url: str, keys: dict[str, str]) -> None:
        self._keys = {board_id: key_from_hex(key) for board_id, key in keys.items()}
        self._online: set[str] = set()
        self._address = urlsplit(broker_url)
        self._client = paho.Client(CallbackAPIVersion.VERSION2, self._address.username or "")
        self._client.username_pw_set(self._address.username or "", self._address.password)
        self._client.max_inflight_messages_set(0)
        self._client.on_socket_open = no_delay
        self._client.on_connect = self._connected
        self._client.on_message = self._message

    def start(self) -> None:
        """Connect, and begin to poll."""
        self._client.connect(self._address.hostname or "", self._address.port or 1883)
        self._client.loop_start()
        threading.Thread(target=self._poll, daemon=True).start()

    def post(self) -> dict[str, Any]:
        """POST of a command: a row, to be found by the next poll."""
        asked = bottle.request.json
        with writing:
            row = Command.create(
                id=str(uuid.uuid4()),
                board_id=asked["board_id"],
                command_type=asked["command_type"],
                target=asked["target"],
                parameters=json.dumps(asked["parameters"]),
                reason=asked["reason"],
                created_at=time.time(),
            )
        bottle.response.status = 202
        return {"id": row.id, "status": row.status}

    def boards(self) -> dict[str, Any]:
        """GET of the boards."""
        return {"boards": [{"id": name, "online": name in self._online} for name in self._keys]}

    def _poll(self) -> None:
        while True:
            for row in list(Command.select().where(Command.status == "PENDING")):
                self._send(row)
            time.sleep(POLL_SECONDS)

    def _send(self, row: Any) -> None:
        now = int(time.time())
        message = {
            "command_id": row.id,
            "command_type": row.command_type,
            "target": row.target,
            "parameters": json.loads(row.parameters),
            "timestamp": now,
            "expires_at": now + LIFE_SECONDS,
            "attempt": 1,
        }
        row.status, row.sent_at = "SENT", time.time()
        _save(row)
        payload = encode("command", message, self._keys[row.board_id])
        self._client.publish(topic(row.board_id, COMMANDS), payload, 1)

    def _connected(self, client: paho.Client, *_: Any) -> None:
        client.subscribe([(f"devices/+/{leaf}", 1) for leaf in (ACK, STATUS)])

    def _message(self, client: Any, userdata: Any, message: paho.MQTTMessage) -> None:
        board_id, leaf = parse(message.topic)
        if leaf == STATUS:
            self._online.add(board_id)
            return
        said = decode("ack", message.payload, self._keys[board_id])
        row = Command.get_by_id(said["command_id"])
        if said["state"] == "accepted":
            row.status, row.accepted_at = "ACKNOWLEDGED", time.time()
        else:
            row.status, row.completed_at = said["state"].upper(), time.time()
        _save(row)


def _save(row: Any) -> None:
    with writing:
        row.save()


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(prog="python -m tools.naive", description=__doc__)
    parser.add_argument("--database", type=Path, required=True)
    parser.add_argument("--broker-url", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--keys", type=Path, required=True, help="JSON: board id to key")
    arguments = parser.parse_args()
    database.init(str(arguments.database), timeout=60)
    database.create_tables([Command])
    naive = Naive(arguments.broker_url, json.loads(arguments.keys.read_text()))
    naive.start()
    app = bottle.Bottle()
    app.post("/api/v1/commands", callback=naive.post)
    app.get("/api/v1/boards", callback=naive.boards)
    print("Answerback: the naive one", flush=True)
    bottle.run(app, server="waitress", port=arguments.port, quiet=True, threads=8)


if __name__ == "__main__":
    main()
