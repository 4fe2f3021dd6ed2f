"""How the daemon itself runs: where it listens, where it remembers, how much it does at once."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

LogLevel = Literal["debug", "info", "warning", "error"]
LogFormat = Literal["text", "json"]


@dataclass(frozen=True, slots=True)
class DaemonSettings:
    """The daemon's settings, validated, with every default filled in.

    Attributes:
        models: Folder with one YAML file a model.
        store_url: The database, with its password: never logged and not in the repr.
        store_shown: The database as the file names it: references to the environment and to files
            are not filled in, a literal password is starred out.
        host: Address the web server binds.
        port: Port the web server binds; 0 for any that is free.
        reload: Whether the configuration may be read again over HTTP, from this machine.
        workers: Threads that compute, and models that are checked at the same time.
        processes: Whether each run is computed in a worker process of its own.
        memory_limit: Bytes that a worker process may take; None for no bound.
        check_every: How often the daemon looks for windows that are due.
        max_series_per_model: Series that the results of one model may take on the metrics page.
        lease: How long a replica leads without renewing its lease.
        log_level: Least severity that is logged.
        log_format: Lines for people, or JSON for machines.
        audit_key: File with the key that signs the audit log; None: it is not signed.
        audit_witness: File outside the database that keeps the log's checkpoints; None for none.
    """

    models: str
    store_url: str = field(repr=False)
    store_shown: str
    host: str
    port: int
    reload: bool
    workers: int
    processes: bool
    memory_limit: int | None
    check_every: timedelta
    max_series_per_model: int
    lease: timedelta
    log_level: LogLevel
    log_format: LogFormat
    audit_key: str | None = None
    audit_witness: str | None = None
