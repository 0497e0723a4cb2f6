"""The dbt project, parsed once for all tests: parsing costs as much as a small build."""

import hashlib
import os
import shutil
import tempfile
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from flows.warehouse.dbt import let_go

PROJECT = Path(__file__).parents[1] / "dbt_project"
NO_BUILD = Path("/no-build-yet")
"""Stands for the build folder in the parsed project, which is the same for all of them."""


def invoke(build: Path, output: Path, manifest: Any, *arguments: str) -> Any:
    """Run a dbt command in this process.

    Args:
        build: the build folder.
        output: dbt writes its target and logs there.
        manifest: the parsed project; None parses it.
        *arguments: of the command.
    """
    from dbt.cli.main import dbtRunner

    before = os.environ.get("PLANLOOP_BUILD")
    os.environ |= {"PLANLOOP_BUILD": str(build), "DO_NOT_TRACK": "1", "DBT_VERSION_CHECK": "false"}
    folders = ["--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT), "--target-path", str(output / "target")]
    logs = ["--log-path", str(output / "dbt_logs"), "--quiet", "--log-level-file", "none"]
    try:
        return dbtRunner(manifest).invoke([*arguments, *folders, *logs])
    finally:
        let_go()
        if before is None:
            del os.environ["PLANLOOP_BUILD"]
        else:
            os.environ["PLANLOOP_BUILD"] = before


def parsed_project(build: Path) -> Any:
    """The parsed project with its sources in ``build``; a copy of its own for each run, which writes into it."""
    from dbt.contracts.graph.manifest import Manifest
    from dbt.parser.manifest import extended_mashumuro_decoder

    kept = (parsed() / "partial_parse.msgpack").read_bytes()
    manifest = Manifest.from_msgpack(kept, decoder=extended_mashumuro_decoder)
    for source in manifest.sources.values():
        place = source.meta["external_location"]
        source.meta["external_location"] = place.replace(str(NO_BUILD), str(build))
    return manifest


@cache
def parsed() -> Path:
    """What dbt writes when it parses the project (``manifest.json`` among it), with sources in ``NO_BUILD``.

    It is kept below the project under a hash of its files: other workers and later sessions take it from there.
    """
    digest = hashlib.sha256(version("dbt-core").encode() + version("dbt-duckdb").encode())
    for path in sorted(path for path in PROJECT.rglob("*") if path.suffix in (".sql", ".yml", ".md")):
        name = path.relative_to(PROJECT)
        if name.parts[0] != "target":
            digest.update(f"{name}\0".encode() + path.read_bytes() + b"\0")
    kept = PROJECT / "target" / "tests" / digest.hexdigest()[:16]
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(dir=kept.parent))
        result = invoke(NO_BUILD, part, None, "parse")
        if result.exception is not None:
            raise result.exception
        for older in set(kept.parent.glob("?" * 16)) - {kept}:
            shutil.rmtree(older, ignore_errors=True)
        # Where another worker has come first, its folder stays.
        with suppress(OSError):
            part.rename(kept)
        shutil.rmtree(part, ignore_errors=True)
    return kept / "target"
