"""All command types at once, for who has the memory: see `verbs` for what each of them is."""

from .verbs import verb

VERBS = {
    name: verb(name)
    for name in (
        "feed", "water", "motor", "switch", "ping", "restart", "stop", "emergency_stop",
        "clear_stop", "sleep", "get_log", "read_sensors", "get_config", "update_config",
        "update_firmware", "set_wake_schedule", "capture_image", "send_image", "list_images",
        "delete_image", "query", "cancel", "time",
    )
}  # fmt: skip
