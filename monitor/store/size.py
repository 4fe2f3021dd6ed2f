"""How much room the store takes."""

from sqlalchemy import Connection, text

from monitor.store.every_table import METADATA


def read_size(connection: Connection) -> int:
    """Return the bytes that the store takes on its disk.

    Of a SQLite database this is the whole file without its write-ahead log, room that may be used
    again included; of PostgreSQL it is our tables with their indexes and long values.
    """
    if connection.dialect.name == "sqlite":
        pages: int = connection.execute(text("PRAGMA page_count")).scalar_one()
        size: int = connection.execute(text("PRAGMA page_size")).scalar_one()
        return pages * size
    # A name that no schema on the search path has gives NULL, and so no size.
    query = text("SELECT pg_total_relation_size(to_regclass(:name))")
    sizes = (connection.execute(query, {"name": name}).scalar_one() for name in METADATA.tables)
    return sum(size for size in sizes if size is not None)
