"""The system's Chromium, headless, asking nobody outside for anything."""

import shutil

from playwright.sync_api import Browser, Playwright, expect

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

PATIENCE_MS = 30_000  # until a test gives up

QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def launched(playwright: Playwright) -> Browser:
    """The system's Chromium, or where there is none the one Playwright brings."""
    expect.set_options(timeout=PATIENCE_MS)
    return playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
