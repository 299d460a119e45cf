"""What `python -m backend` does beside running: people, releases, copies, checks."""
