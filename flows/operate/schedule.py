"""Running the night by itself: systemd units and a Prefect deployment, as files that a person reads and installs.

Nothing is installed here. The units need no server; the deployment is for a company that already runs Prefect. Either
way the night's own lock keeps two of them apart, and a night that was killed is continued by the next start.
"""

import shutil
import subprocess
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path

import yaml

from flows.errors import ConfigError

ENTRYPOINT = "flows/nightly.py:nightly"
NIGHT_ENDS_AT_HOUR = 6
"""A run before this hour belongs to the business date that has just ended."""
PREFECT_FILE = "prefect.yaml"
_NOTE = "Written by `planloop schedule`; a change made here is lost when it is written again."


@dataclass(frozen=True)
class Schedule:
    """When and how one company's night runs.

    Attributes:
        name: tells companies on one machine apart; part of the unit names.
        command: the absolute program and its first arguments, to which the options are added.
        project: folder of the project; the working directory.
        config_dir: the company's configuration.
        workspace: the company's runtime state.
        at: time of day in ``time_zone``.
        time_zone: IANA name; the company's.
        environment_file: file of ``NAME=value`` lines with secrets and the variables that paths use.
        user: who runs it; None leaves it to the manager that the units are installed in.
        timeout: a night that takes longer is stopped.
    """

    name: str
    command: tuple[str, ...]
    project: Path
    config_dir: Path
    workspace: Path
    at: time
    time_zone: str
    environment_file: Path
    user: str | None = None
    timeout: timedelta = field(default=timedelta(hours=6))

    def arguments(self, *words: str) -> list[str]:
        """The whole command line for one of planloop's commands."""
        return [*self.command, "--config", str(self.config_dir), "--workspace", str(self.workspace), *words]


def business_date(now: datetime) -> date:
    """The business date of a run that starts at ``now``, a time of the company's zone, and is not told its date."""
    return (now - timedelta(hours=NIGHT_ENDS_AT_HOUR)).date()


def systemd_units(schedule: Schedule) -> dict[str, str]:
    """Unit files by name: the night, its timer, and what runs when the night has failed.

    ``Persistent`` starts a night that was missed while the machine was off. ``KillMode=control-group`` ends a night
    with all its children, so that none goes on writing. Exit code 3 is not a failure to systemd: the night was
    published, and its summary and ``mart_data_quality`` say what was set aside. After a failure ``doctor`` writes to
    the journal what is wrong.
    """
    unit = f"planloop-{schedule.name}"
    service = f"""\
# {_NOTE}
[Unit]
Description=planloop night of {schedule.name}
Wants=network-online.target
After=network-online.target
OnFailure={unit}-failed.service

[Service]
Type=oneshot
{_process(schedule)}ExecStart={_command_line(schedule.arguments("refresh"))}
SuccessExitStatus=3
TimeoutStartSec={int(schedule.timeout.total_seconds())}
KillMode=control-group
Nice=5
"""
    failed = f"""\
# {_NOTE}
[Unit]
Description=What is wrong with the planloop night of {schedule.name}

[Service]
Type=oneshot
{_process(schedule)}ExecStart={_command_line(schedule.arguments("doctor"))}
TimeoutStartSec=300
KillMode=control-group
"""
    timer = f"""\
# {_NOTE}
[Unit]
Description=Nightly start of planloop for {schedule.name}

[Timer]
OnCalendar=*-*-* {schedule.at:%H:%M:%S} {schedule.time_zone}
Persistent=true
AccuracySec=1min
Unit={unit}.service

[Install]
WantedBy=timers.target
"""
    return {f"{unit}.service": service, f"{unit}-failed.service": failed, f"{unit}.timer": timer}


def prefect_deployment(schedule: Schedule) -> str:
    """A ``prefect.yaml`` with one deployment of the night, for ``prefect deploy --all`` and a worker of type process.

    A run that would overlap is cancelled, not queued: the night's own lock would refuse it anyway.
    """
    deployment = {
        "name": schedule.name,
        "entrypoint": ENTRYPOINT,
        "description": "Land, validate, build, forecast, audit, publish, notify.",
        "parameters": {"config_dir": str(schedule.config_dir), "workspace_dir": str(schedule.workspace)},
        "schedules": [
            {
                "cron": f"{schedule.at.minute} {schedule.at.hour} * * *",
                "timezone": schedule.time_zone,
                "active": True,
            }
        ],
        "concurrency_limit": {"limit": 1, "collision_strategy": "CANCEL_NEW"},
        "work_pool": {"name": "planloop"},
    }
    document = {
        "name": "planloop",
        "pull": [{"prefect.deployments.steps.set_working_directory": {"directory": str(schedule.project)}}],
        "deployments": [deployment],
    }
    return f"# {_NOTE}\n" + yaml.safe_dump(document, allow_unicode=True, sort_keys=False)


def write_schedule(folder: Path, schedule: Schedule) -> list[Path]:
    """Write the units and ``prefect.yaml`` into ``folder`` and return their paths; a person reads and installs them.

    Raises:
        ConfigError: a name or path that a unit file cannot hold.
    """
    faults = _faults(schedule)
    if faults:
        raise ConfigError(faults)
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, text in {**systemd_units(schedule), PREFECT_FILE: prefect_deployment(schedule)}.items():
        path = folder / name
        path.write_text(text, encoding="utf-8")
        written.append(path)
    return written


def unit_faults(units: list[Path]) -> list[str] | None:
    """What systemd itself finds wrong with unit files; None where its checker is not installed."""
    program = shutil.which("systemd-analyze")
    if program is None:
        return None
    checked = subprocess.run(  # noqa: S603 (a fixed command on files written here)
        [program, "verify", "--man=no", *map(str, units)], capture_output=True, text=True, timeout=60, check=False
    )
    names = {unit.name for unit in units}
    return [line for line in checked.stderr.splitlines() if any(name in line for name in names)]


def install_hint(folder: Path, schedule: Schedule) -> str:
    """The commands a person runs to install what was written."""
    unit = f"planloop-{schedule.name}"
    return (
        f"systemd:  sudo cp {folder}/{unit}* /etc/systemd/system/ && sudo systemctl daemon-reload && "
        f"sudo systemctl enable --now {unit}.timer\n"
        f"Prefect:  cp {folder}/{PREFECT_FILE} {schedule.project}/ && cd {schedule.project} && "
        "prefect work-pool create planloop --type process && prefect deploy --all && prefect worker start -p planloop"
    )


def _process(schedule: Schedule) -> str:
    """Lines that both services share: who runs where, with which environment."""
    user = f"User={schedule.user}\n" if schedule.user else ""
    return (
        f"{user}WorkingDirectory={_escape(str(schedule.project))}\n"
        # the dash: a company without secrets and variables needs no such file
        f"EnvironmentFile=-{_escape(str(schedule.environment_file))}\n"
        "UMask=0027\n"
        "NoNewPrivileges=true\n"
    )


def _command_line(words: list[str]) -> str:
    """Words as systemd splits them: each quoted, with its own escapes."""
    return " ".join(
        '"' + _escape(word).replace("\\", "\\\\").replace('"', '\\"').replace("$", "$$") + '"' for word in words
    )


def _escape(word: str) -> str:
    """``%`` starts a specifier everywhere in a unit file."""
    return word.replace("%", "%%")


def _faults(schedule: Schedule) -> list[str]:
    """What a unit file cannot hold."""
    faults = []
    if not schedule.name or not all(
        letter.isascii() and (letter.isalnum() or letter in "-_") for letter in schedule.name
    ):
        faults.append(f"schedule name {schedule.name!r}: expected letters, digits, - and _, as it becomes a unit name")
    if not Path(schedule.command[0]).is_absolute():
        faults.append(f"schedule command {schedule.command[0]!r}: expected an absolute path, as systemd has no PATH")
    for path in (schedule.project, schedule.config_dir, schedule.workspace, schedule.environment_file):
        if not path.is_absolute() or "\n" in str(path):
            faults.append(f"schedule path {str(path)!r}: expected an absolute path on one line")
    return faults
