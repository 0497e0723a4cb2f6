"""The errors planloop raises on purpose: one base, and what matters to a scheduler: would trying again help?"""


class PlanloopError(Exception):
    """Base of all errors that a person is to read: what was expected, what was found, where, what to do next.

    Attributes:
        exit_code: what the command line ends with: 1 failed, 2 bad usage or configuration, 4 refused by the audit.
    """

    exit_code = 1


class PermanentError(PlanloopError):
    """Trying again changes nothing: an input, a setting or the code has to change first."""


class TransientError(PlanloopError):
    """Something outside was not there (a server, a disk, a lock); the same call may succeed later."""


class ConfigError(PermanentError):
    """The configuration cannot be used. Carries every fault found, each with its file and line."""

    exit_code = 2

    def __init__(self, faults: list[str]) -> None:
        self.faults = faults
        super().__init__("\n".join(faults))


class AuditRefused(PermanentError):
    """The audit did not let this night be published; the last good one stays."""

    exit_code = 4
