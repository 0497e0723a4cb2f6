"""Looking at what lies outside the process: programs and servers. Every probe ends by itself within seconds."""

import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator

TIMEOUT_SECONDS = 10


def optional_programs() -> Iterator[tuple[str, str, str]]:
    """Name, what was found (empty: nothing) and remedy, of programs that the night does without."""
    browser = shutil.which("chromium") or shutil.which("google-chrome") or ""
    yield "chromium", browser, "install `chromium` to print the report page"
    yield "font for Chinese", _chinese_font(), "install `fonts-noto-cjk`, or Chinese text in pictures shows as boxes"


def prefect_fault(url: str) -> str:
    """What is wrong with the Prefect server at ``url`` (its API address); empty when it answers."""
    if not url.startswith(("http://", "https://")):
        return "expected an address that starts with http:// or https://"
    try:
        with urllib.request.urlopen(f"{url.rstrip('/')}/health", timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310 (checked)
            return "" if answer.status == 200 else f"answered {answer.status}"
    except (urllib.error.URLError, OSError, ValueError) as error:
        return f"no answer ({error})"


def _chinese_font() -> str:
    """A font for Chinese, by fontconfig."""
    program = shutil.which("fc-list")
    if program is None:
        return ""
    listed = subprocess.run(  # noqa: S603 (a fixed command)
        [program, ":lang=zh-cn", "family"], capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False
    )
    return listed.stdout.partition("\n")[0]
