"""The backend's own TLS to a real Mosquitto: who is believed, and what is said of the others."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.brokers.broker import BACKEND_USER
from backend.brokers.linkstate import Address
from backend.brokers.mqtt import Link
from backend.dialects import registry
from backend.settings import load
from tests.backend.running import eventually
from tests.support import certificates
from tests.support.brokers import running
from tools.brokers import MosquittoBroker, free_port


@dataclasses.dataclass
class Scene:
    """A broker that shows certificates of its own, and two authorities; one vouches for it."""

    broker: MosquittoBroker
    folder: Path
    known: certificates.Certificate
    stranger: certificates.Certificate

    def shows(self, name: str, host: str = certificates.HOST, days: int = 90) -> None:
        made = certificates.server(self.folder, name, self.known, host=host, days=days)
        self.broker.stop()
        self.broker.tls = (free_port(), made.path, made.key)
        self.broker.start()

    def link(self, ca: Path | None, port: int | None = None) -> Link:
        assert self.broker.tls
        url = f"mqtts://{BACKEND_USER}:right@127.0.0.1:{port or self.broker.tls[0]}"
        address = Address.of(url, ca.read_text() if ca else "")
        link = Link(address, registry.subscriptions([], []), lambda *_: None, lambda *_: None)
        link.start()
        return link


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("tls")
    known, stranger = (certificates.authority(folder, name) for name in ("ca", "stranger"))
    with running("mosquitto", folder, {BACKEND_USER: "right"}) as broker:
        assert isinstance(broker, MosquittoBroker)
        scene = Scene(broker, folder, known, stranger)
        scene.shows("good")
        yield scene


def test_a_broker_the_authority_vouches_for_is_believed(scene: Scene) -> None:
    link = scene.link(scene.known.path)
    eventually(lambda: link.connected)
    assert link.error is None
    link.stop()


@pytest.mark.parametrize("ca", ["stranger", None])
def test_another_authority_is_not_enough(scene: Scene, ca: str | None) -> None:
    link = scene.link(scene.stranger.path if ca else None)
    error = eventually(lambda: link.error)
    assert "is not believed" in error and "BROKER_CA" in error and not link.connected
    link.stop()


def test_a_port_without_tls_is_said(scene: Scene) -> None:
    link = scene.link(scene.known.path, scene.broker.port)
    assert "BROKER_URL" in eventually(lambda: link.error) and not link.connected
    link.stop()


@pytest.mark.parametrize(
    ("host", "days", "why"), [("broker.example", 90, "IP address mismatch"), ("", -1, "expired")]
)
def test_a_wrong_name_and_a_wrong_date_are_said(
    scene: Scene, host: str, days: int, why: str
) -> None:
    scene.shows("other" + host, host or certificates.HOST, days)
    link = scene.link(scene.known.path)
    assert why in eventually(lambda: link.error) and not link.connected
    link.stop()


def test_the_settings_name_what_is_wrong(tmp_path: Path) -> None:
    nothing, sealed = tmp_path / "empty.pem", {"BROKER_URL": "mqtts://u:p@broker.example"}
    nothing.write_text("no certificate")
    for path, why in ((nothing, "there is no certificate"), (tmp_path / "none", "No such file")):
        with pytest.raises(ValueError, match=f"BROKER_CA: .*{why}"):
            load({**sealed, "BROKER_CA": str(path)})
    good = certificates.authority(tmp_path).path
    assert load({**sealed, "BROKER_CA": str(good)}).broker_ca == good
    with pytest.raises(ValueError, match="BROKER_CA: is for TLS only"):
        load({"BROKER_URL": "mqtt://u:p@h", "BROKER_CA": str(good)})
