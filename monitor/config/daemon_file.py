"""``config/modelmon.yaml`` → `DaemonSettings`."""

import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from pydantic import Field

from monitor.config.access_section import AccessSection, access_content, access_settings
from monitor.config.audit_section import AuditSection, audit_content, audit_problems
from monitor.config.content import as_yaml
from monitor.config.document import Document, KeyPath, read_document
from monitor.config.model_file import in_order
from monitor.config.references import REFERENCE, filled, referred
from monitor.config.registry_section import RegistrySection, registry_of
from monitor.config.section import Section
from monitor.config.validation import validated
from monitor.config.values import (
    HostName,
    LeaseDuration,
    Memory,
    PositiveDuration,
    Text,
    duration_text,
    memory_text,
)
from monitor.config.wording import suggestion
from monitor.domain.errors import ConfigError, Problem
from monitor.domain.settings import AccessSettings, DaemonSettings, LogFormat, LogLevel

_URL: KeyPath = ("store", "url")
_DIALECTS = ("sqlite", "postgresql", "postgresql+psycopg")
_PASSWORD = re.compile(r"(?<=://)([^/@]*?):(.*)@")
_SECRET_OPTION = re.compile(r"([?&][^=&]*(?:pass|secret|token|key)[^=&]*=)[^&]*", re.IGNORECASE)
_SQLITE = "sqlite:///"

_AT_START: Mapping[str, KeyPath] = {
    "store_url": _URL,
    "host": ("web", "host"),
    "port": ("web", "port"),
    "hosts": ("web", "hosts"),
    "reload": ("web", "reload"),
    "workers": ("compute", "workers"),
    "processes": ("compute", "processes"),
    "memory_limit": ("compute", "memory_limit"),
    "lease": ("lease", "ttl"),
    "audit_key": ("audit", "key"),
    "audit_witness": ("audit", "witness"),
    "audit_stdout": ("audit", "stdout"),
    "audit_witnesses": ("audit", "witnesses"),
    "access": ("access",),
    "registry": ("registry",),
    "gate_key": ("gate", "key"),
}
"""Settings that hold as long as the process does, and where they stand in the file."""


class StoreSection(Section):
    """Where everything is remembered."""

    url: Text = Field(
        "sqlite:///../var/modelmon.db",
        description="database: sqlite:/// and a path relative to this file, or postgresql://…; "
        "${NAME} takes an environment variable, ${file:/run/secrets/x} the content of a file",
    )
    retention: PositiveDuration | None = Field(
        None,
        description="how long the readings, findings and profiles of a window are kept, such as 400d;"
        " for ever unless it is said",
    )


class WebSection(Section):
    """Where metrics and pages are served."""

    host: Text = Field("127.0.0.1", description="address to bind; 0.0.0.0 for all")
    port: int = Field(9108, ge=0, le=65535, description="port to bind; 0 for any that is free")
    hosts: list[HostName] = Field(
        [],
        description="names that the daemon is asked by, such as monitor.example, beside addresses,"
        " localhost, web.host and access.origins",
    )
    reload: bool = Field(
        default=False,
        description="whether POST /-/reload from this machine reads the configuration again",
    )


class ComputeSection(Section):
    """How profiles are computed."""

    workers: int = Field(2, ge=1, description="threads that compute, and models checked at a time")
    processes: bool = Field(
        default=False, description="whether each run is computed in a worker process of its own"
    )
    memory_limit: Memory | None = Field(
        None, description="memory that a worker process may take, such as 1GiB"
    )


class MetricsSection(Section):
    """How much is said on the metrics page."""

    max_series_per_model: int = Field(
        50_000,
        ge=100,
        description="series that the results of one model may take; beyond it the worst are shown",
    )


class LeaseSection(Section):
    """How replicas of the daemon on one database agree on the one that checks."""

    ttl: LeaseDuration = Field(
        "15s",
        validate_default=True,
        description="how long a replica leads without being heard of; another takes over then",
    )


class LogSection(Section):
    """What the daemon writes to standard error."""

    level: LogLevel = Field("info", description="least severity that is logged")
    format: LogFormat = Field("text", description="lines for people, or JSON for machines")


class GateSection(Section):
    """How serving layers are told whether a version may act."""

    key: Text | None = Field(
        None,
        description="file with the key that signs permits, relative to this file; never the audit"
        " log's; modelmon gate init makes one",
    )


class DaemonSection(Section):
    """Settings of the daemon; every one has a default."""

    models: Text = Field(
        "models/", description="folder with one file a model, relative to this file"
    )
    store: StoreSection = Field(
        {}, validate_default=True, description="where everything is remembered"
    )
    web: WebSection = Field(
        {}, validate_default=True, description="where metrics and pages are served"
    )
    compute: ComputeSection = Field(
        {}, validate_default=True, description="how profiles are computed"
    )
    check_every: PositiveDuration = Field(
        "60s",
        validate_default=True,
        description="how often the daemon looks for windows that are due",
    )
    metrics: MetricsSection = Field(
        {}, validate_default=True, description="how much is said on the metrics page"
    )
    lease: LeaseSection = Field(
        {}, validate_default=True, description="how replicas agree on the one that checks"
    )
    log: LogSection = Field(
        {}, validate_default=True, description="what is written to standard error"
    )
    audit: AuditSection = Field(
        {}, validate_default=True, description="how the audit log is signed and witnessed"
    )
    access: AccessSection = Field(
        {}, validate_default=True, description="who may use the HTTP interface, and how"
    )
    registry: RegistrySection = Field(
        {}, validate_default=True, description="the model registry that models are looked up in"
    )
    gate: GateSection = Field(
        {}, validate_default=True, description="how permits to act are signed"
    )


def load_settings(path: Path, environment: Mapping[str, str]) -> DaemonSettings:
    """Return the settings that a file declares; an empty file declares the defaults.

    Args:
        path: The file.
        environment: Variables that ``store.url`` may refer to.

    Raises:
        ConfigError: With every problem of the file. No message holds the store's URL.
    """
    document = read_document(path)
    problems = list(document.problems)
    section: DaemonSection | None = None
    url, access, registry = "", AccessSettings(), None
    if document.whole:
        section, found = validated(document, DaemonSection)
        problems += found
    if section is not None:
        url, unusable = _store_url(document, section.store.url, environment)
        access, risky = access_settings(
            document, section.access, lambda name: referred(name, environment)
        )
        problems += [*unusable, *risky]
        registry, unusable = registry_of(document, section.registry, environment)
        problems += [*unusable, *audit_problems(document, section.audit)]
        if section.compute.memory_limit is not None and not section.compute.processes:
            # A bound on this process would end the daemon with the job that exceeds it.
            needed = "bounds worker processes; write processes: true beside it"
            problems.append(document.problem(("compute", "memory_limit"), needed))
    if section is None or problems:
        raise ConfigError(in_order(problems))
    return DaemonSettings(
        models=str(_below(path.parent, section.models)),
        store_url=url,
        store_shown=redacted(section.store.url),
        host=section.web.host,
        port=section.web.port,
        hosts=tuple(section.web.hosts),
        reload=section.web.reload,
        workers=section.compute.workers,
        processes=section.compute.processes,
        memory_limit=section.compute.memory_limit,
        check_every=section.check_every,
        max_series_per_model=section.metrics.max_series_per_model,
        lease=section.lease.ttl,
        log_level=section.log.level,
        log_format=section.log.format,
        audit_key=_file_below(path.parent, section.audit.key),
        audit_witness=_file_below(path.parent, section.audit.witness),
        audit_stdout=section.audit.stdout,
        audit_witnesses=tuple((each.url, each.key) for each in section.audit.witnesses),
        access=access,
        registry=registry,
        gate_key=_file_below(path.parent, section.gate.key),
        retention=section.store.retention,
    )


def needing_restart(
    path: Path, before: DaemonSettings, after: DaemonSettings
) -> tuple[Problem, ...]:
    """Return a problem for each setting that differs and is applied at the start only.

    Args:
        path: The file that the later settings were read from.
        before: The settings in force.
        after: Those that would take their place.
    """
    differ = [at for name, at in _AT_START.items() if getattr(before, name) != getattr(after, name)]
    if not differ:
        return ()
    document = read_document(path)
    needed = "takes effect at the start only: restart the daemon, or put back what it was"
    return in_order(document.problem(at, needed) for at in differ)


def settings_as_yaml(settings: DaemonSettings) -> str:
    """Return the settings in full, without secrets."""
    compute: dict[str, object] = {
        "workers": settings.workers,
        "processes": settings.processes,
    }
    if settings.memory_limit is not None:
        compute["memory_limit"] = memory_text(settings.memory_limit)
    kept = audit_content(settings)
    access = access_content(settings.access)
    store = {"url": settings.store_shown}
    if settings.retention is not None:
        store["retention"] = duration_text(settings.retention)
    return as_yaml(
        {
            "models": settings.models,
            "store": store,
            "web": _web_content(settings),
            "compute": compute,
            "check_every": duration_text(settings.check_every),
            "metrics": {"max_series_per_model": settings.max_series_per_model},
            "lease": {"ttl": duration_text(settings.lease)},
            "log": {"level": settings.log_level, "format": settings.log_format},
            **({"audit": kept} if kept else {}),
            **({"access": access} if access else {}),
            **({} if settings.registry is None else {"registry": dict(settings.registry.shown)}),
            **({"gate": {"key": settings.gate_key}} if settings.gate_key else {}),
        }
    )


def _web_content(settings: DaemonSettings) -> Mapping[str, object]:
    content = {"host": settings.host, "port": settings.port, "reload": settings.reload}
    return {**content, "hosts": list(settings.hosts)} if settings.hosts else content


def redacted(url: str) -> str:
    """Return a database URL with its password, and whatever option looks like one, starred out.

    References (``${…}``) are kept: they say where a secret is, not what it is.
    """
    starred = _PASSWORD.sub(lambda match: f"{match[1]}:{_star(match[2])}@", url)
    return _SECRET_OPTION.sub(lambda match: match[1] + "***", starred)


def _star(secret: str) -> str:
    return secret if REFERENCE.fullmatch(secret) else "***"


def _store_url(
    document: Document, written: str, environment: Mapping[str, str]
) -> tuple[str, list[Problem]]:
    """Return the URL with references filled in and its path made absolute."""
    # A part of a URL is percent-encoded, so that a password may hold any character.
    url, problems = filled(
        document, _URL, written, environment, lambda secret: quote(secret, safe="")
    )
    if problems:
        return "", problems
    dialect, separator, rest = url.partition("://")
    if not separator or dialect not in _DIALECTS:
        # What stands before "://" is shown only if it is in the file itself.
        near = suggestion(dialect, _DIALECTS) if separator and dialect in written else ""
        known = " or ".join(f"{name}://" for name in _DIALECTS[:2])
        return "", [document.problem(_URL, f"must begin with {known}{near}")]
    if dialect == "sqlite":
        if not rest.startswith("/") or rest in ("/", "/:memory:"):
            message = f"must name a file, such as {_SQLITE}../var/modelmon.db"
            return "", [document.problem(_URL, message)]
        return f"{_SQLITE}{_below(Path(document.file).parent, rest[1:])}", []
    return url, []


def _file_below(folder: Path, path: str | None) -> str | None:
    return None if path is None else str(_below(folder, path))


def _below(folder: Path, path: str) -> Path:
    return (folder / path).resolve()
