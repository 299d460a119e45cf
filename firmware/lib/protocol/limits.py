"""The sizes and ranges both sides agree on. Times are whole seconds, lengths are bytes."""

ID_LENGTH = 64
TEXT_LENGTH = 200
LOG_TEXT = 512
MAP_ITEMS = 16
CONDITIONS_MAX = 4
MESSAGE_BYTES = 4096
IMAGE_BYTES = 1048576

KEY_BYTES = 32
SIGNATURE_HEX = 64

# A timestamp outside this range is a clock that was never set (2025-01-01 to 2100-01-01 UTC).
EPOCH_MIN = 1735689600
EPOCH_MAX = 4102444800

COMMAND_LIFE_MAX = 7 * 24 * 3600
ATTEMPTS_MAX = 1000
RUN_SECONDS_MAX = 3600
GRAMS_MAX = 5000
ML_MAX = 1000000
SAFE_INTEGER = 9007199254740991  # 2^53 - 1: beyond it JSON numbers differ between readers

HEARTBEAT_SECONDS = 10
