"""The pictures that are kept: files and their rows, bounded, shown and deleted."""
