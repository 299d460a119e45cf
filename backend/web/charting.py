"""The library that draws the page's charts: uPlot, as it lies in an installed package.

uPlot draws time series on a canvas: 50 KB, no dependencies, time zones with their daylight saving,
gaps, bands from least to greatest, and values under the pointer. It needs neither `eval` nor
inline styles, so the page's policy stays as strict as it is. The package `youplot` carries it
unchanged; of that nothing is imported or run, only these two files are served. A test holds them
to the digests of uPlot's own release.
"""

from importlib.metadata import distribution
from pathlib import Path

PACKAGE = "youplot"
# Name at which the page finds it -> file of the package.
FILES = {
    "uplot.js": "youplot/vendor/uplot.iife.min.js",
    "uplot.css": "youplot/vendor/uplot.min.css",
}


def files() -> dict[str, bytes]:
    """The files by name. Raises PackageNotFoundError, OSError."""
    package = distribution(PACKAGE)
    return {name: Path(str(package.locate_file(at))).read_bytes() for name, at in FILES.items()}
