"""The command, killed by SIGKILL at a stated moment: ``python -m tests.integration.killed STAGE SECONDS WORDS…``.

The process kills its whole group from inside, when its own log says that the stage has begun; a watcher from outside
would sometimes come too late for a stage that is short.
"""

import logging
import os
import signal
import sys
import threading

from flows.cli import main
from flows.operate.logs import LOGGER
from flows.operate.night import STAGES


class Killer(logging.Handler):
    """Kills some seconds after a stage has begun, and before the next one does."""

    def __init__(self, stage: str, seconds: float) -> None:
        super().__init__()
        self._stage = stage
        self._seconds = seconds
        self._later = STAGES[STAGES.index(stage) + 1 :] if stage in STAGES else STAGES

    def emit(self, record: logging.LogRecord) -> None:
        """Look whether the moment has come."""
        stage = getattr(record, "stage", "")
        begins = stage == self._stage and (record.getMessage() == "started" or stage == "start")
        if stage in self._later or (begins and not self._seconds):
            kill()
        elif begins:
            timer = threading.Timer(self._seconds, kill)
            timer.daemon = True
            timer.start()


def kill() -> None:
    """End this process and its children at once, as a power cut would."""
    os.killpg(os.getpgrp(), signal.SIGKILL)


if __name__ == "__main__":
    logging.getLogger(LOGGER).addHandler(Killer(sys.argv[1], float(sys.argv[2])))
    sys.argv[1:3] = []
    main()
