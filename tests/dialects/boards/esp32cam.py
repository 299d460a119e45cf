# An ESP32-CAM, for the real MicroPython with the real umqtt. It wakes, says HELLO, sends what it
# has kept, obeys, and sleeps (ends) at ACK_OK with a time, or without one where there is nothing
# more. One chunk in ten is lost on the way, by chance of a seed.
# Arguments: port, MAC, password, prefix, seed, how many pictures it has kept.
import binascii
import json
import random
import sys
import time

from umqtt.simple import MQTTClient

PORT, MAC, PASSWORD, PREFIX = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
random.seed(int(sys.argv[5]))
KEPT = int(sys.argv[6])
CHUNK, SIZE = 256, 9000
pictures = {}
inbox = []


def picture(number):
    raw = bytearray(SIZE)
    for index in range(SIZE):
        raw[index] = (index * 7 + number) & 255
    raw[:3] = b"\xff\xd8\xff"
    return bytes(raw)


def say(leaf, said, qos=1):
    said["device_id"] = MAC
    client.publish(PREFIX + "/" + MAC + "/" + leaf, json.dumps(said), qos=qos)


def tell(name):
    say(
        "data",
        {
            "image_name": name,
            "image_size": SIZE,
            "max_chunks_size": CHUNK,
            "total_chunk_count": -(-SIZE // CHUNK),
            "timestamp": "2027-01-15T08:00:00Z",
            "sensor_data": {"temperature": 21.5},
        },
    )


def send(name):
    raw = pictures[name]
    for index in range(-(-SIZE // CHUNK)):
        if random.random() < 0.1:
            lost.append(index)
            continue
        part = raw[index * CHUNK : (index + 1) * CHUNK]
        text = binascii.b2a_base64(part).decode().strip()
        say("data", {"image_name": name, "chunk_id": index, "payload": text}, 0)
    print("lost", len(lost))


def obey(topic, message):
    inbox.append((topic.decode().rsplit("/", 1)[1], json.loads(message)))


def act(leaf, said):
    if said.get("send_all_pending"):
        for name in sorted(waiting):
            tell(name)
            send(name)
    elif said.get("capture_image"):
        name = "image_{}.jpg".format(len(pictures) + 1)
        pictures[name] = picture(len(pictures) + 1)
        print("captured", name)
        tell(name)
    elif said.get("send_image"):
        print("asked", said["send_image"])
        send(said["send_image"])
    elif "ACK_OK" in said:
        waiting.discard(said.get("image_name"))
        if type(said["ACK_OK"]) is dict or not waiting and "image_name" not in said:
            print("sleep", json.dumps(said))
            sys.exit()


lost = []
for number in range(1, KEPT + 1):
    pictures["image_{}.jpg".format(number)] = picture(number)
waiting = set(pictures)
client = MQTTClient(MAC, "127.0.0.1", PORT, MAC, PASSWORD, keepalive=60)
client.set_callback(obey)
client.connect()
for leaf in ("cmd", "ack"):
    client.subscribe("ESP32CAM/" + MAC + "/" + leaf, qos=1)
say("status", {"status": "Alive", "pendingImg": KEPT, "firmware_version": "3.5.0"})
while True:
    client.check_msg()
    while inbox:
        act(*inbox.pop(0))
    time.sleep_ms(5)
