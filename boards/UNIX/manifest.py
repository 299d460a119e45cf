# The host needs nothing beyond what ships on every board: its hardware is in modules/.
# ruff: noqa: F821 (whoever runs a manifest provides these names)

include("../manifest.py")
