"""What surrounds the processor of an emulated board: power, resets, watchdog, serial port.

Everything here runs in the board's loop, one thing after another. Every end of a life (reset,
deep sleep, watchdog, power cut) is SIGKILL, so no `finally` of the firmware runs, as on hardware.
"""

import time
from collections.abc import Callable, Mapping
from pathlib import Path

from tools.emulator_camera import Camera
from tools.emulator_events import Event, EventLog
from tools.emulator_loop import Loop
from tools.emulator_process import Processor
from tools.emulator_serial import SerialPort

POWER, RESET, WATCHDOG, DEEPSLEEP, SOFT = 1, 2, 3, 4, 5

_CONSOLE_BYTES = 64 * 1024
_PROMPT = b">>> "
_CTRL_A = b"\x01"
_WATCHDOG_SLACK = 1.1  # the board tells of its feeding ten times a period


class Machine:
    """A board's hardware. `settings` are the BOARD_... variables it starts with each time."""

    def __init__(
        self,
        loop: Loop,
        log: EventLog,
        settings: Mapping[str, str],
        heap: str,
        sleep_scale: float,
        serial: SerialPort | None,
    ) -> None:
        self._loop, self._log, self._settings = loop, log, dict(settings)
        self._heap, self._sleep_scale, self._serial = heap, sleep_scale, serial
        self.console = bytearray()
        self._line = b""
        self._processor: Processor | None = None
        self._rtc = self._clock = ""
        self._world: dict[tuple[str, object], dict[str, object]] = {}
        self._watchdog_seconds = 0.0
        self._writes_to_cut = 0
        self._prompt_wanted = False
        self._reactions: dict[str, Callable[[Event], None]] = {
            "watchdog": self._start_watchdog,
            "feed": self._feed,
            "cut": lambda _: self.power_off(),
            "reset": lambda _: self._restart(RESET),
            "soft_reset": lambda _: self._soft_reset(),
            "deepsleep": self._sleep,
            "frame": self._take_frame,
        }
        self._camera = Camera(Path(settings["BOARD_FLASH"]).parent)
        if serial:
            loop.watch(serial.fd, self._on_serial)

    @property
    def pid(self) -> int | None:
        """Process id of the processor, None while it is off or asleep."""
        return self._processor.pid if self._processor else None

    def power_on(self) -> None:
        """Does nothing where it runs."""
        self._loop.drop("wake")
        if self._processor is None:
            self._start(POWER)

    def power_off(self) -> None:
        """Power is gone at once: what RAM and RTC held is lost, what is on flash stays."""
        asleep = self._loop.drop("wake")
        if asleep or self._processor:
            self._end()
            self._log.add({"event": "power_cut"})
        self._rtc = self._clock = ""

    def put(self, key: tuple[str, object], order: dict[str, object]) -> None:
        """A fact of the surroundings, such as the level at a pin; it lasts through resets."""
        self._world[key] = order
        if self._processor:
            self._processor.order(**order)

    def skip(self, ms: int) -> int | None:
        """So much time has passed, all of a sudden; asleep, it wakes that much earlier.

        By how much it will say that its clocks are ahead; None where nothing runs.
        """
        ahead = int(self._settings["BOARD_AHEAD"]) + ms
        self._settings["BOARD_AHEAD"] = str(ahead)
        self._loop.sooner("wake", ms / 1000 * self._sleep_scale)
        if not self._processor:
            return None
        self._processor.order(op="set", members={"ahead": ahead})
        return ahead

    def cut_at(self, writes: int) -> None:
        """Power fails half-way through that flash write, from now or from the next boot."""
        if self._processor:
            self._processor.order(op="cut", writes=writes or None)
        else:
            self._writes_to_cut = writes

    def type(self, data: bytes) -> None:
        """Types on the console; lost where nothing runs."""
        if self._processor:
            self._processor.type(data)

    def _start(self, cause: int, skip_main: bool = False) -> None:
        variables = {
            **self._settings,
            "BOARD_CAUSE": str(cause),
            "BOARD_RTC": self._rtc,
            "BOARD_CLOCK": self._clock,
            "BOARD_SKIP_MAIN": "1" if skip_main else "",
            "BOARD_CUT_AT": str(self._writes_to_cut or ""),
        }
        self._writes_to_cut = 0
        self._processor = Processor(variables, self._heap)
        for order in self._world.values():
            self._processor.order(**order)
        self._loop.watch(self._processor.control, self._on_control)
        self._loop.watch(self._processor.console, self._on_console)

    def _end(self) -> int:
        """Ends this life; its exit code. All it said before is in the log afterwards."""
        processor, self._processor = self._processor, None
        if processor is None:
            return 0
        self._loop.drop("watchdog")
        self._loop.forget(processor.control)
        self._loop.forget(processor.console)
        code = processor.kill()
        events, output = processor.rest()
        for event in events:
            self._note(event)
        self._show(output)
        self._end_line()
        self._log.outputs_off()
        return code

    def _restart(self, cause: int) -> None:
        self._end()
        self._start(cause)

    def _soft_reset(self) -> None:
        """As on hardware: from the raw REPL it comes back into the raw REPL, without main.py."""
        self._end()
        self._show(b"\r\nMPY: soft reboot\r\n")
        raw = self._serial is not None and self._serial.raw
        self._prompt_wanted = raw
        self._start(SOFT, skip_main=raw)

    def _sleep(self, event: Event) -> None:
        self._end()
        if event["for_ms"]:
            wake = time.monotonic() + event["for_ms"] / 1000 * self._sleep_scale
            self._loop.at("wake", wake, lambda: self._start(DEEPSLEEP))

    def _start_watchdog(self, event: Event) -> None:
        self._watchdog_seconds = event["timeout"] / 1000 * _WATCHDOG_SLACK
        self._feed(event)

    def _feed(self, _: Event) -> None:
        self._loop.at("watchdog", time.monotonic() + self._watchdog_seconds, self._bite)

    def _take_frame(self, event: Event) -> None:
        path = self._camera.take(event["width"], event["height"], event["quality"])
        if self._processor:
            self._processor.order(op="set", members={"frame": path})

    def _bite(self) -> None:
        self._log.add({"event": "bite"})
        self._restart(WATCHDOG)

    def _note(self, event: Event) -> None:
        if event["event"] == "rtc":
            self._rtc = event["memory"]
        if event["event"] == "clock":
            self._clock = str(event["ahead"])
        if event["event"] in ("pin", "pwm") and self._processor:
            self._log.add(event, self._processor.waited_ms)
        elif event["event"] != "feed":
            self._log.add(event)

    def _on_control(self) -> None:
        assert self._processor is not None
        events = self._processor.events()
        if events is None:
            return self._on_exit()
        for event in events:
            self._note(event)
            if event["event"] in self._reactions:
                self._reactions[event["event"]](event)
        return None

    def _on_exit(self) -> None:
        """The interpreter ended by itself: Ctrl-D in the REPL (a soft reset), or a crash."""
        code = self._end()
        if code == 0:
            self._soft_reset()
        else:
            self._log.add({"event": "exit", "code": code})

    def _on_console(self) -> None:
        assert self._processor is not None
        data = self._processor.output()
        if not data:
            self._loop.forget(self._processor.console)  # `control` tells of the end
            return
        self._show(data)
        if self._prompt_wanted and _PROMPT in self.console[-64:]:
            self._prompt_wanted = False
            self._processor.type(_CTRL_A)

    def _show(self, data: bytes) -> None:
        self.console += data
        del self.console[:-_CONSOLE_BYTES]
        *lines, self._line = (self._line + data).split(b"\n")
        for line in lines:
            self._note_line(line)
        if self._serial:
            self._serial.write(data)
            self._loop.watch(self._serial.fd, self._on_serial, writing=self._serial.backlog)

    def _note_line(self, line: bytes, **more: object) -> None:
        text = line.decode(errors="replace").rstrip("\r")
        self._log.add({"event": "console", "line": text, **more})

    def _end_line(self) -> None:
        if self._line:
            self._note_line(self._line, cut=True)
            self._line = b""

    def _on_serial(self) -> None:
        assert self._serial is not None
        self._serial.flush()
        self._loop.watch(self._serial.fd, self._on_serial, writing=self._serial.backlog)
        self.type(self._serial.read())
