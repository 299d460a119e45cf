"""What the board has to say and the broker has not confirmed yet: bounded, in order.

Rules of this file:
- a message of QoS 1 stays until its PUBACK; after a reconnect it is sent again, with DUP;
- no more than LIMIT messages: a full outbox refuses heartbeats and lets the oldest of the others
  go, and counts both. No ack is lost for good by that: the backend asks the journal;
- nothing is encoded or sent here, so anybody may add at any moment, umqtt's callback included.
"""

LIMIT = 16


class Message:
    """One message. `keep`: it outlives the connection; `packet_id` is 0 until it was sent.

    `data` becomes None when it is confirmed, and b"" where it had to go before that.
    """

    def __init__(self, topic, data, qos, retain, keep):
        self.topic, self.data, self.qos, self.retain = topic, data, qos, retain
        self.keep = keep
        self.packet_id = 0
        self.waiting = True  # for being sent, else for its PUBACK
        self.again = False


class Outbox:
    """`dropped` counts what had to go: {"beats": n, "unconfirmed": n}."""

    def __init__(self):
        self.messages = []
        self.packet_id = 0
        self.dropped = {"beats": 0, "unconfirmed": 0}

    def __len__(self):
        """How many messages wait to be sent or confirmed."""
        return len(self.messages)

    def ack(self, topic, data):
        """An ack, QoS 1: kept over reconnects until it is confirmed. Returns the Message."""
        message = Message(topic, data, 1, False, True)
        self.add(message)
        return message

    def presence(self, topic, data, retain=False):
        """QoS 1, and of no worth once this connection is lost."""
        self.add(Message(topic, data, 1, retain, False))

    def beat(self, topic, data):
        """QoS 0: sent once, or dropped where there is no room."""
        if len(self.messages) >= LIMIT:
            self.dropped["beats"] += 1
        else:
            self.messages.append(Message(topic, data, 0, False, False))

    def next_id(self):
        """A packet id (1 to 65535) nothing unconfirmed uses."""
        taken = [message.packet_id for message in self.messages]
        self.packet_id = self.packet_id % 65535 + 1
        while self.packet_id in taken:
            self.packet_id = self.packet_id % 65535 + 1
        return self.packet_id

    def take(self):
        """The next message to send, its packet id set, or None."""
        for message in self.messages:
            if message.waiting:
                message.waiting = False
                if message.qos == 0:
                    self.messages.remove(message)
                elif not message.packet_id:
                    message.packet_id = self.next_id()
                return message
        return None

    def confirm(self, packet_id):
        """Its PUBACK is here; an unknown id is ignored."""
        for message in self.messages:
            if not message.waiting and message.packet_id == packet_id:
                message.data = None  # so that who waits for this can tell
        self._keep(lambda message: message.data is not None)

    def disconnected(self):
        """What was not confirmed is to be sent again, unless it belonged to this connection."""
        self._keep(lambda message: message.keep)
        for message in self.messages:
            message.again = message.packet_id != 0
            message.waiting = True

    def add(self, message):
        """Where there is no room, the oldest goes."""
        if len(self.messages) >= LIMIT:
            self.messages.pop(0).data = b""
            self.dropped["unconfirmed"] += 1
        self.messages.append(message)

    def _keep(self, function):
        self.messages = list(filter(function, self.messages))
