"""Opening the operational state database. Tables are declared beside the code that owns them, on ``metadata``."""

from sqlalchemy import Engine, MetaData, create_engine, event

metadata = MetaData()


def open_state(url: str) -> Engine:
    """Open the state database and make the tables declared so far.

    SQLite runs with a write-ahead log and full synchronisation: a committed state change survives a killed night.
    """
    engine = create_engine(url)
    if engine.dialect.name == "sqlite":

        @event.listens_for(engine, "connect")
        def _pragmas(connection, _record):  # type: ignore[no-untyped-def]
            connection.execute("pragma journal_mode = wal")
            connection.execute("pragma synchronous = full")
            connection.execute("pragma foreign_keys = on")
            connection.execute("pragma busy_timeout = 30000")

    metadata.create_all(engine)
    return engine
