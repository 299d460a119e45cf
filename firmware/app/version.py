"""The version of the firmware, as `startup` says it."""

VERSION = "0.1.0"
