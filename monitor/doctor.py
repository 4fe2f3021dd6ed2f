"""The doctor: everything that a daemon needs is looked at once, and nothing is changed."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from monitor import app
from monitor.config.files import Configured
from monitor.domain.errors import AuditError, ConfigError, SourceError, StoreError
from monitor.domain.lease import Lease
from monitor.domain.policy import Policy
from monitor.domain.settings import DaemonSettings
from monitor.engine.examine import (
    Condition,
    Examined,
    examine_governance,
    examine_model,
    examine_unwatched,
    unreachable,
)
from monitor.engine.run import Outside
from monitor.exposition.render import Build, render
from monitor.governance.cosignature import witness_key_of
from monitor.governance.tokens import Token
from monitor.registry.examined import examine_registry
from monitor.store.access import AccessStore
from monitor.store.audit import Auditing
from monitor.store.audit_witnesses import AuditWitnesses, KnownWitness
from monitor.web.access.examined import examine_access

MOST_APART = timedelta(seconds=5)
"""How far two clocks may be apart: the store's may be told to the second, and later than asked."""

LONG_SILENT = timedelta(hours=3)
"""How long a witness may not have cosigned: the log grows each hour."""

MANY_SERIES = 100_000
"""Series beyond which one daemon's page is a burden to the Prometheus that scrapes it."""

_DROPPED = b"modelmon_series_dropped{"


def examine(config_file: Path) -> Iterator[Examined]:
    """Yield what is seen, one thing after the other: what the next one rests on comes first."""
    try:
        configured = app.configuration(config_file).read()
    except ConfigError as error:
        for problem in error.problems:
            advice = "modelmon config check; docs/reference/config.md has every key"
            yield Examined("configuration", "", Condition.FAIL, str(problem), advice)
        return
    number = len(configured.policies)
    models = f"{number} model{'' if number == 1 else 's'}"
    found = f"{models}, digest {configured.digest[:12]}"
    yield Examined("configuration", "", Condition.OK, found)
    try:
        yield from _stored(configured)
    except StoreError as error:
        advice = "mend it first: what rests on the store could not be looked at"
        yield Examined("store", "", Condition.FAIL, str(error), advice)


def _stored(configured: Configured) -> Iterator[Examined]:
    settings = configured.settings
    outside = app.open_outside(settings.store_url)  # refuses a schema that is not this version's
    app.try_store(settings)
    found = f"{settings.store_shown}: reached, may be written, the schema is this version's"
    yield Examined("store", "", Condition.OK, found)
    yield _clock(app.store_clock(settings), outside, configured.policies)
    yield _leader(*app.store_lease(settings))
    yield _audited(settings)
    yield from _witnessed(settings, outside.clock.now())
    yield from examine_access(settings, _tokens(settings), outside.clock.now())
    policies = [app.in_force(policy, outside.store).policy for policy in configured.policies]
    yield from examine_registry(settings.registry, policies)
    yield from examine_unwatched(outside.store, [policy.model for policy in policies])
    for policy in policies:
        yield from _model(policy, outside)
    yield _series(policies, outside, settings.max_series_per_model)


def _tokens(settings: DaemonSettings) -> Sequence[Token]:
    store = AccessStore(settings.store_url)  # to look needs no key
    try:
        return store.tokens()
    finally:
        store.close()


def _model(policy: Policy, outside: Outside) -> Iterator[Examined]:
    yield examine_governance(policy)
    try:
        source = app.source_of(policy)
    except SourceError as error:
        yield unreachable(policy.model, error)
        return
    yield from examine_model(policy, source, outside.store, outside.clock.now())


def _clock(stores: datetime, outside: Outside, policies: Sequence[Policy]) -> Examined:
    """Hold this machine's clock against the store's, and against what is stored."""
    now = outside.clock.now()
    apart = abs(now - stores)
    if apart > MOST_APART:
        found = f"{apart.total_seconds():.0f} s from the store's ({stores:%Y-%m-%dT%H:%M:%SZ})"
        return Examined("clock", "", Condition.FAIL, found, "synchronise both machines, by NTP")
    ended = (outside.store.counts(policy.model).last_success for policy in policies)
    newest = max((instant for instant in ended if instant is not None), default=now)
    if newest > now + MOST_APART:
        found = f"the newest stored run ended later than now, at {newest:%Y-%m-%dT%H:%M:%SZ}"
        return Examined("clock", "", Condition.FAIL, found, "synchronise the clock, by NTP")
    return Examined("clock", "", Condition.OK, "as the store's, and later than every stored run")


def _leader(lease: Lease, now: datetime) -> Examined:
    """Say which replica checks and writes; a store that is served from cron has none."""
    if not lease.holder:
        return Examined("leader", "", Condition.OK, "nobody leads: no daemon runs on this store")
    heard = f"last heard of at {lease.renewed:%Y-%m-%dT%H:%M:%SZ}"
    if lease.is_free(now):
        found = f"{lease.holder} led in term {lease.token}, and was {heard}: it died or hangs"
        advice = "start the daemon, or look at its log; docs/runbooks/ModelMonNoLeader.md"
        return Examined("leader", "", Condition.WARN, found, advice)
    since = f"since {lease.acquired:%Y-%m-%dT%H:%M:%SZ}"
    found = f"{lease.holder} leads in term {lease.token} {since}, {heard}"
    return Examined("leader", "", Condition.OK, found)


def _audited(settings: DaemonSettings) -> Examined:
    """Look whether the audit log proves anything: who signs it, and who else keeps what it was."""
    what = "audit log"
    try:
        auditing = app.auditing(settings)
    except AuditError as error:
        advice = "nothing can be written until it is mended"
        return Examined(what, "", Condition.FAIL, str(error), advice)
    if auditing.key is None:
        found = "not signed: whoever may write the database may write it anew"
        advice = "modelmon audit init; docs/how-to/answer-an-auditor.md"
        return Examined(what, "", Condition.WARN, found, advice)
    if settings.audit_witness is None and not settings.audit_witnesses and settings.audit_stdout:
        found = f"signed by {auditing.key.verifying}; the daemon writes checkpoints to its output"
        return Examined(what, "", Condition.OK, found)
    if settings.audit_witness is None and not settings.audit_witnesses:
        found = f"signed by {auditing.key.verifying}, and kept nowhere else: a restored backup"
        advice = "set audit.witness to a file that is apart from the database"
        return Examined(what, "", Condition.WARN, f"{found} would not be noticed", advice)
    if settings.audit_witness is None:
        number = len(settings.audit_witnesses)
        others = f"{number} witness{'es' if number > 1 else ''}"
        found = f"signed by {auditing.key.verifying}; cosigned by {others}, see below"
        return Examined(what, "", Condition.OK, found)
    kept = len(app.kept_checkpoints(settings))
    found = f"signed by {auditing.key.verifying}; {kept:,} checkpoints kept outside"
    return Examined(what, "", Condition.OK, found)


def _witnessed(settings: DaemonSettings, now: datetime) -> Iterator[Examined]:
    """Look when each witness has last cosigned the log."""
    log = AuditWitnesses(settings.store_url, Auditing())
    try:
        for _, key in settings.audit_witnesses:
            name = witness_key_of(key).name
            yield _witness(name, log.known(name), now)
    finally:
        log.close()


def _witness(name: str, known: KnownWitness, now: datetime) -> Examined:
    what = "witness"
    last = "never" if known.at is None else f"{known.at:%Y-%m-%dT%H:%M:%SZ}"
    if known.refused_at is not None:
        found = f"{name} refuses the log since {known.refused_at:%Y-%m-%dT%H:%M:%SZ}"
        advice = "docs/runbooks/ModelMonWitnessRefuses.md"
        return Examined(what, "", Condition.FAIL, found, advice)
    if known.at is None or now - known.at > LONG_SILENT:
        advice = "start the daemon, or look at its log; docs/runbooks/ModelMonWitnessSilent.md"
        return Examined(what, "", Condition.WARN, f"{name} last cosigned: {last}", advice)
    found = f"{name} has cosigned {known.size:,} records, at {last}"
    return Examined(what, "", Condition.OK, found)


def _series(policies: Sequence[Policy], outside: Outside, most: int) -> Examined:
    """Count the series that the stored results take."""
    snapshots = [app.snapshot(policy, outside) for policy in policies]
    page = render(snapshots, Build(app.code_version()), app.measure_families(), most).text()
    lines = page.splitlines()
    number = sum(1 for line in lines if line and not line.startswith(b"#"))
    without = [item.policy.model for item in snapshots if item.latest is None]
    if without:
        found = f"{number} now; no result yet of {', '.join(without)}"
        return Examined("series", "", Condition.WARN, found, "look again after the first run")
    dropped = [line for line in lines if line.startswith(_DROPPED) and not line.endswith(b" 0.0")]
    if dropped:
        found = f"{number} on the page; not all: {b', '.join(dropped).decode()}"
        advice = "raise metrics.max_series_per_model; docs/runbooks/ModelMonSeriesDropped.md has the rest"
        return Examined("series", "", Condition.WARN, found, advice)
    if number > MANY_SERIES:
        advice = "watch fewer fields, segments or crossings, or share the models among daemons"
        return Examined("series", "", Condition.WARN, f"{number} on the page", advice)
    return Examined("series", "", Condition.OK, f"{number} on the page")
