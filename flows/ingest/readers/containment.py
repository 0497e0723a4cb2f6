"""Which files of a folder are meant to be read: those that lie in it, and are neither half written nor left behind."""

import os
from pathlib import Path

from flows.ingest.readers.names import FileRefused

_LEFT_BEHIND_PREFIXES = ("~$", ".~", "._", ".")
"""Lock files of Excel, LibreOffice and WPS, resource forks of a Mac, and whatever else is hidden."""
_LEFT_BEHIND_NAMES = frozenset({"thumbs.db", "desktop.ini"})
_UNFINISHED = (".tmp", ".temp", ".part", ".partial", ".crdownload", ".download", ".filepart", ".swp", ".bak", "~")
"""Endings under which browsers, transfer programs and editors keep a file that is not finished."""


def passed_over(name: str) -> bool:
    """Whether a file of this name is none that anybody exported: a lock file, a half of a download, ``.DS_Store``."""
    lowered = name.lower()
    return lowered.startswith(_LEFT_BEHIND_PREFIXES) or lowered.endswith(_UNFINISHED) or lowered in _LEFT_BEHIND_NAMES


def contained(path: Path, base: Path) -> bool:
    """Whether a file lies in a folder, once symbolic links and ``..`` on the way to it are followed.

    The folder itself may be reached by a link: it is what the configuration names.
    """
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(base))


def refuse_outside(path: Path, base: Path) -> None:
    """Refuse a file that leads out of its folder.

    Raises:
        FileRefused: it is, or lies behind, a link to somewhere else.
    """
    if not contained(path, base):
        raise FileRefused(
            f"Expected a file in {base}, found a link that leads out of it, to {os.path.realpath(path)}. Put the file "
            "itself into the folder, or name the other folder in `path`."
        )
