"""The page on paper: printed by a Chromium that is installed."""

import re
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from monitor.domain.errors import ReportError

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
"""Names under which a browser that prints may be installed."""

PATIENCE = 120
"""Seconds that printing may take."""

_DATE = re.compile(rb"(/(?:CreationDate|ModDate) \(D:)[^)]*\)")


def as_pdf(page: str, as_of: str) -> bytes:
    """Return a page as PDF, dated by what it rests on and not by the clock.

    Args:
        page: The page.
        as_of: When the newest result that it rests on was stored, ``2005-10-01 00:00:00Z``.

    Raises:
        ReportError: No browser is installed, or it failed.
    """
    browser = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if browser is None:
        raise ReportError(
            "a PDF is printed by Chromium, and none is installed: apt-get install chromium, or write "
            "--format html and print that"
        )
    with TemporaryDirectory() as folder:
        source, target = Path(folder) / "report.html", Path(folder) / "report.pdf"
        source.write_text(page, encoding="utf-8")
        command = [
            browser,
            "--headless",
            "--disable-gpu",
            "--no-sandbox",  # the page is ours and has no script; in a container there is no other way
            "--no-first-run",
            "--disable-extensions",
            f"--user-data-dir={folder}/profile",
            "--no-pdf-header-footer",
            f"--print-to-pdf={target}",
            source.as_uri(),
        ]
        try:
            done = subprocess.run(command, capture_output=True, timeout=PATIENCE, check=False)  # noqa: S603  # a browser, found by name
        except subprocess.TimeoutExpired as error:
            raise ReportError(f"{browser} did not print within {PATIENCE} s") from error
        if not target.exists():
            said = done.stderr.decode(errors="replace").strip().splitlines()
            last = said[-1] if said else f"exit code {done.returncode}"
            raise ReportError(f"{browser} printed nothing: {last}")
        return dated(target.read_bytes(), as_of)


def dated(data: bytes, as_of: str) -> bytes:
    """Return a PDF of the same length whose dates are those of the report."""
    digits = "".join(re.findall(r"\d", as_of))
    return _DATE.sub(lambda found: found[1] + digits.encode() + b"+00'00')", data)
