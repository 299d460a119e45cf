"""What is wired to every board: one of each kind, and a switch that is safe while on."""

from app import actuator_settings

CONFIG = actuator_settings.actuators(
    {
        "actuators": {
            "feeder1": {"kind": "feeder", "pin": 16, "grams_per_second": 10, "longest_s": 60},
            "valve1": {"kind": "valve", "fill_pin": 17, "drain_pin": 18, "longest_s": 90},
            "motor1": {"kind": "motor", "pin": 19, "pwm_hz": 1000, "longest_s": 40},
            "light1": {"kind": "switch", "pin": 21, "longest_s": 50},
            "air1": {"kind": "switch", "pin": 22, "longest_s": 30, "safe": 1},
        }
    }
)
FIELDS = ("pin", "fill_pin", "drain_pin")
WIRING = {
    config[field]: (name, 100 * config["safe"])
    for name, config in CONFIG.items()
    for field in FIELDS
    if field in config
}
