# The host needs nothing beyond what ships on every board: its hardware is in modules/.

include("../manifest.py")
