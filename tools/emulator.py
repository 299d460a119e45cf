"""An emulated ESP32 board: the firmware under the real MicroPython, its hardware made of events.

    with Board(folder, files=stage.files(), serial=True) as board:
        board.start()
        board.wait(lambda event: event["event"] == "pin" and event["pin"] == 16)

All methods may be called from any thread; each returns when it is done. For the events see
tools/emulator_events.py, for what a reset does tools/emulator_machine.py.
"""

import contextlib
from collections.abc import Callable, Mapping
from pathlib import Path

from tools.emulator_events import Event, EventLog, Listener, Pulse
from tools.emulator_flash import FlashImage
from tools.emulator_loop import Loop
from tools.emulator_machine import DEEPSLEEP, POWER, RESET, SOFT, WATCHDOG, Machine
from tools.emulator_process import EmulatorError, interpreter
from tools.emulator_serial import SerialPort

__all__ = [
    "DEEPSLEEP",
    "POWER",
    "RESET",
    "SOFT",
    "WATCHDOG",
    "Board",
    "EmulatorError",
    "Event",
    "Pulse",
]

PATIENCE = 20.0  # seconds until an event that is waited for is said to be missing


class Board:
    """One board, off until `start`. Its flash is `directory`/flash.img and outlives it.

    `files` is put on the flash where the image does not exist yet. `heap` is MicroPython's heap,
    `sleep_scale` multiplies the length of deep sleep, `serial` adds a port for mpremote. `camera`
    is which `camera` module its MicroPython has: "modern", "old", or "" for none. `on_event` is
    called with each event, in the board's own thread. `skips`: its time can be made to pass, see
    `skip`. `blocks_ms`: what keeps its loop from turning for so long or longer becomes an event.
    """

    def __init__(
        self,
        directory: Path,
        files: Mapping[str, bytes | str] | None = None,
        *,
        unique_id: str = "a1b2c3d4e5f6",
        heap: str = "160K",
        sleep_scale: float = 1.0,
        flash_kib: int = 1024,
        serial: bool = False,
        camera: str = "modern",
        skips: bool = False,
        blocks_ms: int | None = None,
        on_event: Listener | None = None,
    ) -> None:
        interpreter()
        image = Path(directory) / "flash.img"
        fresh = not image.exists()
        self.flash = FlashImage(image, flash_kib)
        if fresh and files:
            self.flash.write(files)
        self.log = EventLog(on_event)
        self._serial = SerialPort() if serial else None
        self._loop = Loop(f"board {image.parent.name}")
        settings = {
            "BOARD_FLASH": str(image),
            "BOARD_UNIQUE_ID": unique_id,
            "BOARD_CAMERA": camera,
            "BOARD_AHEAD": "0" if skips else "",
            "BOARD_BLOCKS": "" if blocks_ms is None else str(blocks_ms),
        }
        self._machine = self._loop.call(
            lambda: Machine(self._loop, self.log, settings, heap, sleep_scale, self._serial)
        )

    def __enter__(self) -> "Board":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> "Board":
        """Power on. Does nothing where it runs."""
        self._loop.call(self._machine.power_on)
        return self

    def power_cut(self) -> "Board":
        """Power off, at once and at any moment; afterwards its flash can be read."""
        self._loop.call(self._machine.power_off)
        return self

    def close(self) -> None:
        """Power off for good; nothing of the board is left running. Its flash image stays."""
        if self._loop.closed:
            return
        self._loop.call(self._machine.power_off)
        self._loop.close()
        if self._serial:
            self._serial.close()

    @property
    def pid(self) -> int | None:
        """Process id, None while it is off or asleep."""
        return self._loop.call(lambda: self._machine.pid)

    @property
    def port(self) -> str:
        """The serial port for `mpremote connect`; the same for the board's whole life."""
        if self._serial is None:
            raise EmulatorError("this board has no serial port: make it with serial=True")
        return self._serial.path

    @property
    def console(self) -> str:
        """The last 64 KiB of its console."""
        return self._loop.call(lambda: self._machine.console.decode(errors="replace"))

    def type(self, text: str) -> None:
        """Types on its console, as a person at the serial port does."""
        self._loop.call(lambda: self._machine.type(text.encode()))

    def set_pin(self, pin: int, level: int) -> None:
        """The level the world puts on an input, 0 or 1; lasts through resets."""
        self._put("pin", pin=pin, value=level)

    def set_adc(self, pin: int, reading: int) -> None:
        """What the ADC at a pin reads, 0 to 65535."""
        self._put("adc", pin=pin, value=reading)

    def set_temperatures(self, pin: int, celsius: Mapping[str, float]) -> None:
        """The DS18B20 thermometers on a pin, {ROM in 16 hex digits: °C}; {}: none."""
        self._put("ds18b20", pin=pin, value=dict(celsius))

    def set_air(self, pin: int, celsius: float | None, humidity: float = 50.0) -> None:
        """What a DHT11 or DHT22 at a pin measures; None: none answers."""
        self._put("dht", pin=pin, value=None if celsius is None else [celsius, humidity])

    def set_wifi(self, there: bool | list[str], hangs: bool = False) -> None:
        """Which Wi-Fi networks are there: all, none, or those named. `hangs`: the interface finds
        none until it is switched off and on; a reset of the board does not help."""
        self._put("set", members={"wifi": there, "wifi_hangs": hangs})

    def set_camera(self, there: bool) -> None:
        """Whether the camera answers; lasts through resets."""
        self._put("set", pin="camera", members={"camera": there})

    def skip(self, seconds: float) -> None:
        """Its clocks go ahead by so much at once, whatever it does: it was made with skips=True.

        Not its watchdog, which bites a board that hangs; events keep the host's own time. Skip
        no more at once than the firmware may sleep through, and nothing while a motor runs.
        Returns when it has noticed, or after a second of not doing so: it may have lost its power.
        """
        since = len(self.log)
        ahead = self._loop.call(lambda: self._machine.skip(round(seconds * 1000)))
        if ahead is not None:
            with contextlib.suppress(TimeoutError):
                self.wait_for("skipped", timeout=1, since=since, ahead=ahead)

    def cut_at_write(self, number: int) -> None:
        """Power fails half-way through the flash write of that number (1 is the next one).

        Counted from now where the board runs, else from its next start. 0 takes it back.
        """
        self._loop.call(lambda: self._machine.cut_at(number))

    def level(self, pin: int) -> int:
        """1 where the output is on now, else 0."""
        return self.log.level(pin)

    def pulses(self, pin: int) -> list[Pulse]:
        """Every time the output was on, over all boots."""
        return self.log.pulses(pin)

    def wait(
        self, wanted: Callable[[Event], bool], timeout: float = PATIENCE, since: int = 0
    ) -> Event:
        """The first event from number `since` on that is `wanted`. Raises TimeoutError."""
        try:
            return self.log.wait(wanted, timeout, since)
        except TimeoutError as error:
            raise TimeoutError(f"{error}\nits console:\n{self.console[-2000:]}") from None

    def wait_for(
        self, name: str, timeout: float = PATIENCE, since: int = 0, **members: object
    ) -> Event:
        """`wait` for an event of this name whose members are these."""
        wanted = {"event": name, **members}
        return self.wait(lambda event: wanted.items() <= event.items(), timeout, since)

    def _put(self, operation: str, **members: object) -> None:
        key = (operation, members.get("pin"))
        self._loop.call(lambda: self._machine.put(key, {"op": operation, **members}))
