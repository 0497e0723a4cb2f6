"""Writing files so that a killed process or a power cut leaves the old file or the new one, never half of either."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path


def replace_file(path: Path, write: Callable[[Path], object]) -> Path:
    """Let ``write`` fill a file beside ``path``, flush it to disk and rename it to ``path``."""
    temporary = path.with_name(f".{path.name}.tmp")
    path.parent.mkdir(parents=True, exist_ok=True)
    write(temporary)
    flush_file(temporary)
    os.replace(temporary, path)
    flush_folder(path.parent)
    return path


def link_or_copy(source: Path, target: Path) -> None:
    """Give ``target`` the content of ``source``, flushed: a hard link where the file system has them, else a copy."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
    flush_file(target)


def flush_file(path: Path) -> None:
    """Force a file's content to disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def flush_folder(path: Path) -> None:
    """Force a folder's entries (names made, renamed, removed) to disk."""
    flush_file(path)
