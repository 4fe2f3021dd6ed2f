"""The composition root: the only place that builds adapters, the real clock and the logger.

Adapters are imported when they are wired, so that a command pays for what it uses: checking a
configuration loads neither statistics nor a database.
"""

import os
import secrets
import socket
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from monitor.domain.lease import Lease, Replica
from monitor.domain.manifest import Manifest
from monitor.domain.policy import Policy, TableFormat
from monitor.domain.settings import DaemonSettings

if TYPE_CHECKING:
    from monitor.config.files import ConfigFiles
    from monitor.engine.policies import InForce
    from monitor.engine.ports import Clock, Compute, Source, Store
    from monitor.engine.run import Outside
    from monitor.engine.snapshot import ModelSnapshot
    from monitor.governance.verification import Witnessed
    from monitor.measures.measure import Family
    from monitor.scheduling.leadership import Leadership
    from monitor.store.access import AccessStore
    from monitor.store.audit import Auditing, Signed
    from monitor.store.audit_store import AuditStore

_BOOT = Path("/proc/sys/kernel/random/boot_id")
"""Where Linux says which start of which machine this is."""


class SystemClock:
    """The machine's clock, in UTC."""

    def now(self) -> datetime:
        """Return the present instant."""
        return datetime.now(UTC)  # noqa: TID251  # the one real clock


def code_version() -> str:
    """Return the version of modelmon that is running."""
    from importlib.metadata import version

    return version("modelmon")


def read_settings(path: Path) -> DaemonSettings:
    """Return the daemon's settings.

    Raises:
        ConfigError: With every problem of the file.
    """
    from monitor.config.daemon_file import load_settings

    return load_settings(path, os.environ)


def configuration(path: Path, host: str | None = None, port: int | None = None) -> "ConfigFiles":
    """Return the daemon's file and its models', to be read and read again.

    Args:
        path: The daemon's file.
        host: Address to listen on instead of the file's.
        port: Port to listen on instead of the file's.
    """
    from monitor.config.files import ConfigFiles

    return ConfigFiles(path, os.environ, host, port)


def read_policies(settings: DaemonSettings) -> tuple[Policy, ...]:
    """Return the policy of every configured model.

    Raises:
        ConfigError: With every problem of every file.
    """
    from monitor.config.model_file import load_policies

    return load_policies(Path(settings.models))


def read_policy(path: Path) -> Policy:
    """Return the policy of one file.

    Raises:
        ConfigError: With every problem of the file.
    """
    from monitor.config.model_file import load_policy

    return load_policy(path)


def read_policy_files(paths: Sequence[Path]) -> tuple[Policy, ...]:
    """Return the policies of the given files.

    Raises:
        ConfigError: With every problem of every file.
    """
    from monitor.domain.errors import ConfigError, Problem

    policies: list[Policy] = []
    problems: list[Problem] = []
    for path in paths:
        try:
            policies.append(read_policy(path))
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(tuple(problems))
    return tuple(policies)


def policy_of_text(text: str) -> Policy:
    """Return the policy that a stored file declares.

    Raises:
        ConfigError: With every problem that this version has with it.
    """
    from monitor.config.model_file import parse_policy

    return parse_policy(text, "(the stored policy)", stored=True)


def in_force(file: Policy, store: "Store") -> "InForce":
    """Return which policy of a model is in force: that of its file, or the one before.

    Raises:
        ConfigError: This version cannot read the policy that judged last.
        StoreError: The database cannot be read.
    """
    from monitor.config.change_classes import changes_between
    from monitor.engine.policies import in_force as found

    return found(file, store, policy_of_text, changes_between)


def line_of_key(text: str, path: Sequence[str]) -> int | None:
    """Return the line on which a policy's file says something; None where it does not."""
    from monitor.config.document import parse_document

    found = parse_document("(the stored policy)", text).keys_at.get(tuple(path))
    return None if found is None else found[0]


def settings_as_yaml(settings: DaemonSettings) -> str:
    """Return the settings with every default filled in; secrets are not shown."""
    from monitor.config import daemon_file

    return daemon_file.settings_as_yaml(settings)


def policy_as_yaml(policy: Policy) -> str:
    """Return a policy with every default filled in, readable again."""
    from monitor.config import content

    return content.policy_as_yaml(policy)


def schema(*, daemon: bool) -> dict[str, Any]:
    """Return the JSON Schema of the daemon's file, or of a model's."""
    from monitor.config.schema import daemon_schema, model_schema

    return daemon_schema() if daemon else model_schema()


def starter(log: str, model: str | None, target: Path | None, kind: str | None = None) -> str:
    """Return a commented configuration inferred from a log.

    Args:
        log: File, folder or URI; of a table what ``source.path`` says of it.
        model: Name of the model; None for the log's own name.
        target: Where the text will be written: relative paths are written as seen from there.
        kind: ``source.format``; None for what a local path shows itself to be.

    Raises:
        SourceError: The log cannot be read.
    """
    from monitor.config.starter import starter_yaml
    from monitor.sources.inspect import infer_columns
    from monitor.sources.kinds import table_kind

    format_ = _format_of(log) if kind is None else TableFormat(kind)
    columns = infer_columns(log, kind=table_kind(format_))
    named = "://" in log or (format_ is TableFormat.ICEBERG and not log.endswith(_METADATA))
    shown = log
    if not named and target is not None:
        shown = os.path.relpath(Path(log).absolute(), target.absolute().parent)
    return starter_yaml(model or _name_of(log, format_), shown, columns, kind=format_)


_METADATA = ".metadata.json"


def _format_of(log: str) -> TableFormat:
    """Return what keeps a log: a Delta table has its own log beside its files."""
    if log.endswith(_METADATA):
        return TableFormat.ICEBERG
    return TableFormat.DELTA if Path(log, "_delta_log").is_dir() else TableFormat.PARQUET


def _name_of(log: str, kind: TableFormat) -> str:
    """Return the name that a log has by itself."""
    path = Path(log.rstrip("/"))
    if kind is not TableFormat.ICEBERG:
        return path.stem or "model"
    table = (
        path.parent.parent if log.endswith(_METADATA) else path
    )  # folder/metadata/1.metadata.json
    return table.name.rpartition(".")[2] or "model"


def upgrade_store(settings: DaemonSettings) -> str:
    """Bring the database to this version's schema, and say what state it is in.

    Raises:
        StoreError: It cannot be reached, or a newer version wrote it.
    """
    from monitor.store.schema import upgrade

    return str(upgrade(settings.store_url))


def try_store(settings: DaemonSettings) -> None:
    """Make sure that the database may be written; nothing is changed.

    Raises:
        StoreError: It may not.
    """
    from monitor.store.schema import try_write

    try_write(settings.store_url)


def store_clock(settings: DaemonSettings) -> datetime:
    """Return the present as the database has it.

    Raises:
        StoreError: It cannot be reached.
    """
    from monitor.store.schema import read_clock

    return read_clock(settings.store_url)


def store_lease(settings: DaemonSettings) -> tuple[Lease, datetime]:
    """Return who leads by the store, and the present by its clock.

    Raises:
        StoreError: It cannot be reached.
    """
    from monitor.store.lease import SqlLeases

    leases = SqlLeases(settings.store_url)
    try:
        return leases.known()
    finally:
        leases.close()


def open_store(url: str, auditing: "Auditing | None" = None) -> "Store":
    """Return the store of `open_outside`, without loading what computes the results in it."""
    from monitor.store.sql import SqlStore

    return SqlStore(url, auditing)


def open_outside(
    url: str, compute: "Compute | None" = None, auditing: "Auditing | None" = None
) -> "Outside":
    """Return store, compute and clock.

    Args:
        url: Database URL; ``sqlite://`` is an empty database in memory, ready to use.
        compute: Where profiles are computed; None for one thread, the caller's.
        auditing: How what is written is signed and witnessed; None: it is not.

    Raises:
        StoreError: The database cannot be reached or has another schema.
    """
    from monitor.compute.local import LocalCompute
    from monitor.engine.run import Outside
    from monitor.sources.evidence import LocalFiles

    return Outside(
        store=open_store(url, auditing),
        compute=compute or LocalCompute(),
        clock=SystemClock(),
        code=code_version(),
        files=LocalFiles(),
    )


def open_configured(settings: DaemonSettings) -> "Outside":
    """Return store, compute and clock as the settings want them.

    Raises:
        StoreError: The database cannot be reached or has another schema.
    """
    from monitor.compute.isolated import IsolatedCompute
    from monitor.compute.local import LocalCompute

    compute: Compute = (
        IsolatedCompute(settings.workers, settings.memory_limit)
        if settings.processes
        else LocalCompute(settings.workers)
    )
    return open_outside(settings.store_url, compute, auditing(settings))


def auditing(settings: DaemonSettings) -> "Auditing":
    """Return how the audit log is signed and witnessed, as the settings want it.

    Raises:
        AuditError: The key or the kept checkpoints cannot be read.
    """
    from monitor.store.audit import Auditing
    from monitor.store.keys import read_key
    from monitor.store.witness import FileWitness

    key = None if settings.audit_key is None else read_key(Path(settings.audit_key))
    if settings.audit_witness is None:
        return Auditing(key)
    witness = FileWitness(Path(settings.audit_witness))
    kept = witness.kept()
    return Auditing(key, kept[-1].note if kept else None, witness.keep)


def kept_checkpoints(
    settings: DaemonSettings, files: "Sequence[Path]" = ()
) -> "Sequence[Witnessed]":
    """Return the checkpoints of some files, and of the one that the settings name.

    Raises:
        AuditError: A file cannot be read, or holds something else.
    """
    from monitor.store.witness import FileWitness

    own = [] if settings.audit_witness is None else [Path(settings.audit_witness)]
    given = [one for path in files for one in FileWitness(path).collected()]
    return given + [one for path in own for one in FileWitness(path).kept()]


def keep_checkpoint(settings: DaemonSettings, signed: "Signed") -> None:
    """Give a new checkpoint to the witness that the settings name.

    Raises:
        AuditError: It could not be kept.
    """
    from monitor.store.witness import FileWitness

    if settings.audit_witness is not None and signed.checkpoint is not None:
        FileWitness(Path(settings.audit_witness)).keep(signed.checkpoint, signed.at)


def audit_store(settings: DaemonSettings) -> "AuditStore":
    """Return the audit log, to be examined, signed or recovered.

    Raises:
        StoreError: The database's URL is none.
    """
    from monitor.store.audit_store import AuditStore

    return AuditStore(settings.store_url)


def access_store(settings: DaemonSettings) -> "AccessStore":
    """Return tokens and answered requests; what changes them is signed as the settings want it.

    Raises:
        StoreError: The database has another schema, or its URL is none.
        AuditError: The key or the kept checkpoints cannot be read.
    """
    from monitor.store.access import AccessStore
    from monitor.store.schema import require_current

    require_current(settings.store_url)
    return AccessStore(settings.store_url, auditing(settings))


def this_replica() -> Replica:
    """Return the name of this process among all that ever were, and of what runs it."""
    host = socket.gethostname()
    try:
        machine = _BOOT.read_text(encoding="ascii").strip()  # the same in all containers of a host
    except OSError:
        machine = host
    return Replica(f"{host}:{os.getpid()}:{secrets.token_hex(4)}", machine)


def open_replicated(settings: DaemonSettings) -> "tuple[Outside, Leadership]":
    """Return store, compute and clock of one of several replicas, and whether it leads.

    The clock is set right by the store's, which all replicas share.

    Raises:
        StoreError: The database cannot be reached or has another schema.
    """
    from monitor.scheduling.leadership import AgreedClock, Leadership
    from monitor.store.lease import SqlLeases

    outside = open_configured(settings)
    leases = SqlLeases(settings.store_url)
    leadership = Leadership(leases, this_replica(), settings.lease, outside.clock)
    return replace(outside, clock=AgreedClock(outside.clock, leadership)), leadership


def source_of(
    policy: Policy,
    path: str | None = None,
    clock: "Clock | None" = None,
    as_of: Manifest = Manifest(),  # noqa: B008  # frozen
) -> "Source":
    """Return the log of a model, or another one that is read by the same policy.

    Args:
        policy: The model's policy.
        path: Another path or URI, relative to the current folder; None for the model's own.
        clock: Tells which event times lie in the future; None for the machine's.
        as_of: Tables with snapshots that it names are read as they were then.

    Raises:
        SourceError: The path cannot be reached.
    """
    from monitor.sources.kinds import table_kinds
    from monitor.sources.parquet import ParquetSource

    spec = policy.source
    if path is not None:
        named = "://" in path or spec.format is TableFormat.ICEBERG
        spec = replace(spec, path=path if named else str(Path(path).absolute()))
    log, labels, apart = table_kinds(spec, as_of.snapshots)
    present = clock or SystemClock()
    return ParquetSource(replace(policy, source=spec), log, labels, present, apart)


def snapshot(policy: Policy, outside: "Outside") -> "ModelSnapshot":
    """Return what the store knows of a model.

    Raises:
        StoreError: The database cannot be read.
    """
    from monitor.domain.run import Outcome
    from monitor.engine.alarms import ModelAlarms, alarms_since
    from monitor.engine.overreach import overreach_of
    from monitor.engine.snapshot import ModelSnapshot

    store = outside.store
    latest = store.latest(policy.model)
    heads = store.heads(policy.model)
    kept = [window for window, head in heads.items() if head.pruned is None]
    judged = None
    if latest is not None and latest.outcome is Outcome.NO_DATA:
        with_data = [item for item in heads.values() if item.outcome is Outcome.COMPLETED]
        judged = store.run(policy.model, with_data[-1].window) if with_data else None
    return ModelSnapshot(
        policy=policy,
        baselines=store.current_baselines(policy.model),
        latest=latest,
        counts=store.counts(policy.model),
        revision=heads[latest.window].revision if latest else None,
        quarantine=store.quarantine(policy.model),
        alarms=alarms_since(policy, store, latest.window.start) if latest else ModelAlarms(),
        judged=judged,
        alerts=store.alerts(policy.model),
        mutes=store.mutes(policy.model),
        oldest=min((window.start for window in kept), default=None),
        windows=len(kept),
        ledger=store.ledger(policy.model),
        overreach=overreach_of(latest, store.gate_answers(policy.model))
        if latest is not None and policy.governance.governed
        else (),
        found=store.found(policy.model),
    )


def measure_families() -> "dict[str, Family]":
    """Return the section of ``limits`` that each measure belongs to."""
    from monitor.measures.catalogue import EVERY

    return {measure.about.id: measure.about.family for measure in EVERY}
