"""Automations: what is done by itself when a sensor says so. See `judging` and `engine`."""
