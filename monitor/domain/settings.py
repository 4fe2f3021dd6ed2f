"""How the daemon itself runs: where it listens, where it remembers, how much it does at once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

import msgspec

from monitor.domain.role import Role

LogLevel = Literal["debug", "info", "warning", "error"]
LogFormat = Literal["text", "json"]


class Issuer(msgspec.Struct, frozen=True):
    """Where people log in, and how their signed tokens are believed.

    Attributes:
        issuer: As tokens name it.
        audience: What tokens for this daemon name.
        keys: Address or file of the issuer's public keys.
        algorithms: Signatures that are taken.
        account: Claim with the account, as policies name people.
        groups: Claim with the names of groups.
    """

    issuer: str
    audience: str
    keys: str
    algorithms: tuple[str, ...]
    account: str
    groups: str


@dataclass(frozen=True, slots=True)
class ProxyHeader:
    """A proxy that says who asks.

    Attributes:
        account: The header that says it.
        secret_header: The header in which the proxy shows that it is the proxy.
        secret: What it shows: never logged and not in the repr.
        secret_shown: Where the file says that the secret is.
        trusted_proxies: Addresses and networks that it asks from.
    """

    account: str
    secret_header: str
    secret: str = field(repr=False)
    secret_shown: str
    trusted_proxies: tuple[str, ...]


class AccessSettings(msgspec.Struct, frozen=True):
    """Who may use the HTTP interface; by default nobody changes anything over it.

    Attributes:
        tokens: Whether the daemon's own tokens are taken.
        writes: Whether anything can be changed over HTTP.
        oidc: Where people log in; None where they do not.
        header: A proxy that says who asks; None for none.
        origins: Addresses of the daemon as browsers know it.
        roles: Group of people to the roles they have for every model.
    """

    tokens: bool = False
    writes: bool = False
    oidc: Issuer | None = None
    header: ProxyHeader | None = None
    origins: tuple[str, ...] = ()
    roles: Mapping[str, frozenset[Role]] = msgspec.field(default_factory=dict)

    @property
    def configured(self) -> bool:
        """Return whether anybody can be told from anybody else."""
        return self.tokens or self.oidc is not None or self.header is not None


@dataclass(frozen=True, slots=True)
class RegistrySettings:
    """Where the model registry is, and how it is asked.

    Attributes:
        url: Where it is.
        token: Bearer token; "" for none.
        user: Name to log in with; "" for none.
        password: Its password.
        ca: File with the certificates to trust; None for the system's.
        poll_every: How often it is looked at.
        timeout: How long an answer may take.
        reverts_per_hour: How often within an hour what others wrote is written back.
        webhook_secret: Secret of its webhook; "": none is heard.
        shown: The section as the file has it, where secrets are references.
    """

    url: str
    token: str = field(default="", repr=False)
    user: str = ""
    password: str = field(default="", repr=False)
    ca: str | None = None
    poll_every: timedelta = timedelta(seconds=30)
    timeout: timedelta = timedelta(seconds=10)
    reverts_per_hour: int = 3
    webhook_secret: str = field(default="", repr=False)
    shown: Mapping[str, object] = field(default_factory=dict)


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
        audit_stdout: Whether the daemon writes the log's checkpoints to its standard output.
        audit_witnesses: Address of each witness that cosigns the log, with its public key.
        access: Who may use the HTTP interface.
        registry: The model registry; None for none.
        gate_key: File with the key that signs permits; None: none are given.
        retention: How long results are kept; None for ever.
        hosts: Names that the daemon is asked by, beside those that the other settings say.
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
    audit_stdout: bool = False
    audit_witnesses: tuple[tuple[str, str], ...] = ()
    access: AccessSettings = field(default_factory=AccessSettings)
    registry: RegistrySettings | None = None
    gate_key: str | None = None
    retention: timedelta | None = None
    hosts: tuple[str, ...] = ()
