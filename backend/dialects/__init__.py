"""How boards speak on the wire: one module for each dialect, and a registry by topic.

Everything here is pure: bytes and facts in, meanings and bytes out; no clock, no socket, no table.
"""
