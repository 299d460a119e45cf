# A museum's board, for the real MicroPython with the real umqtt: room1/light and room1/motor1.
# Arguments: port, client id, password. Prints what its pins do, one line each.
import sys
import time

from umqtt.simple import MQTTClient

PORT, NAME, PASSWORD = int(sys.argv[1]), sys.argv[2], sys.argv[3]
STATUS = "devices/" + NAME + "/status"
pins = {"room1/light": False, "room1/motor1": False}


def obey(topic, message):
    topic, word = topic.decode(), message.decode()
    if topic == "room1/STOP":
        for name in pins:
            pins[name] = False
        print("pin all off")
        return
    good = word == "OFF" or word == "ON" or word.startswith(("ON:", "SPEED:", "DIR:"))
    if good and not word.startswith(("SPEED:", "DIR:")):
        pins[topic] = word != "OFF"
        print("pin", topic, "on" if pins[topic] else "off", word)
    answers.append((topic + "/feedback", "OK" if good else "ERROR"))


answers = []
client = MQTTClient(NAME, "127.0.0.1", PORT, NAME, PASSWORD, keepalive=5)
client.set_last_will(STATUS, "offline", retain=True)
client.set_callback(obey)
client.connect()
for topic in list(pins) + ["room1/STOP"]:
    client.subscribe(topic)
client.publish(STATUS, "online", retain=True)
print("ready")
beat = time.ticks_ms()
while True:
    client.check_msg()
    while answers:
        client.publish(*answers.pop(0))
    if time.ticks_diff(time.ticks_ms(), beat) > 1000:
        beat = time.ticks_ms()
        client.publish(STATUS, "online", retain=True)
        client.ping()
    time.sleep_ms(5)
