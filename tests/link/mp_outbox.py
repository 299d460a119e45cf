"""The outbox: bounded, in order, and what it does when the connection is lost."""

from app.outbox import LIMIT, Outbox


def sent(outbox):
    """Everything that is to be sent now: [(data, packet id, again)]."""
    out = []
    message = outbox.take()
    while message:
        out.append((message.data, message.packet_id, message.again))
        message = outbox.take()
    return out


def test_in_order_and_once():
    outbox = Outbox()
    outbox.ack("t", b"a")
    outbox.presence("t", b"b")
    outbox.beat("t", b"c")
    assert sent(outbox) == [(b"a", 1, False), (b"b", 2, False), (b"c", 0, False)]
    assert sent(outbox) == [] and len(outbox) == 2


def test_confirmed_is_gone():
    outbox = Outbox()
    outbox.ack("t", b"a")
    outbox.ack("t", b"b")
    outbox.confirm(0)  # nothing has been sent yet
    assert len(outbox) == 2
    sent(outbox)
    outbox.confirm(7)
    outbox.confirm(2)
    outbox.confirm(2)
    outbox.disconnected()
    assert sent(outbox) == [(b"a", 1, True)]


def test_a_lost_connection():
    outbox = Outbox()
    outbox.ack("t", b"sent")
    outbox.presence("t", b"of this connection")
    sent(outbox)
    outbox.ack("t", b"not sent")
    outbox.beat("t", b"beat")
    outbox.disconnected()
    assert sent(outbox) == [(b"sent", 1, True), (b"not sent", 3, False)]


def test_full():
    outbox = Outbox()
    for number in range(LIMIT + 3):
        outbox.ack("t", number)
    outbox.beat("t", b"beat")
    assert [data for data, _, _ in sent(outbox)] == list(range(3, LIMIT + 3))
    assert outbox.dropped == {"beats": 1, "unconfirmed": 3}


def test_packet_ids_come_round_and_skip_what_is_unconfirmed():
    outbox = Outbox()
    outbox.ack("t", b"a")
    assert sent(outbox) == [(b"a", 1, False)]
    for expected in list(range(2, 300)):
        assert outbox.next_id() == expected
    while outbox.next_id() != 65535:
        pass
    assert outbox.next_id() == 2
