"""Starts ``trytond`` with a database whose clock a test sets: days pass between two changes, and none in reality.

Only the clock of SQLite is replaced, which stamps ``create_date``, ``write_date`` and revisions; the server is as it is
installed. ``TRYTON_CLOCK`` names a file that holds the moment, read once a transaction as the database does.
"""

import os
import sys
from pathlib import Path

CLOCK = Path(os.environ["TRYTON_CLOCK"])


def main() -> None:
    """Run ``trytond`` with the arguments given."""
    import trytond.config
    from trytond import cli

    trytond.config.update_etc([sys.argv[sys.argv.index("-c") + 1]])
    from trytond.backend.sqlite import database
    from trytond.transaction import Transaction

    def now() -> str:
        moments = database._nows.setdefault(Transaction(), {})
        return str(moments.setdefault(Transaction().started_at, CLOCK.read_text(encoding="utf-8")))

    database.now = now
    cli.main()


if __name__ == "__main__":
    main()
