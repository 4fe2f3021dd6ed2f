"""The daemon's own condition as Prometheus text."""

from collections.abc import Sequence
from datetime import datetime

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.gc_collector import GCCollector
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from monitor.exposition.auditing import Audited
from monitor.exposition.family import Part
from monitor.exposition.gating import Gating
from monitor.exposition.leading import Leading
from monitor.exposition.page import ResultsPage
from monitor.exposition.registry import Mirroring
from monitor.exposition.sheet import Sheet
from monitor.exposition.text import Form
from monitor.exposition.vitals import Vitals
from monitor.governance.root_parts import parts_of

LEVELS = ("debug", "info", "warning", "error", "critical")
"""Levels that have a series from the start, so that the first message is a rise."""

STATUSES = (200, 401, 403)
"""Statuses that have a series from the start, for the same reason."""


class ProcessMetrics:
    """The part of the page that is rendered at every scrape.

    Args:
        vitals: What the daemon knows of its own condition.
        page: The results page, for the instant it was rendered at.
    """

    def __init__(self, vitals: Vitals, page: ResultsPage) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_VitalsCollector(vitals, page))
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        GCCollector(registry=self._registry)

    def render(self, form: Form = Form.TEXT) -> bytes:
        """Return the process part of the page, which is its end."""
        if form is Form.OPENMETRICS:
            whole: bytes = openmetrics.generate_latest(self._registry)  # type: ignore[no-untyped-call]
            return whole
        return generate_latest(self._registry)


class _VitalsCollector(Collector):
    def __init__(self, vitals: Vitals, page: ResultsPage) -> None:
        self._vitals = vitals
        self._page = page

    def collect(self) -> Sequence[Metric]:
        sheet = Sheet()
        _add_instant(sheet, "results_exported_timestamp_seconds", self._page.published_at)
        _add_instant(sheet, "scheduler_heartbeat_timestamp_seconds", self._vitals.heartbeat)
        _add_instant(sheet, "store_pruned_timestamp_seconds", self._vitals.pruned_at)
        self._add_counts(sheet)
        self._add_configuration(sheet)
        leading = self._vitals.leading
        if leading is not None:
            _add_leading(sheet, leading)
        mirroring = self._vitals.mirroring
        if mirroring is not None:
            _add_mirroring(sheet, mirroring)
        gating = self._vitals.gating
        if gating is not None:
            _add_gating(sheet, gating)
        audited = self._vitals.audited
        if audited is not None:
            _add_audited(sheet, audited)
        return tuple(sheet.metrics(Part.PROCESS))

    def _add_counts(self, sheet: Sheet) -> None:
        for counter, counts in self._vitals.checks.items():
            for model, number in counts.items():
                sheet.add(f"{counter}_total", number, model=model)
        for model, (windows, files) in self._vitals.late.items():
            sheet.add("closed_windows_changed", windows, model=model)
            sheet.add("late_files", files, model=model)
        for level, number in (dict.fromkeys(LEVELS, 0) | dict(self._vitals.messages)).items():
            sheet.add("log_messages_total", number, level=level)
        for status, number in (dict.fromkeys(STATUSES, 0) | dict(self._vitals.answers)).items():
            sheet.add("api_answers_total", number, status=str(status))

    def _add_configuration(self, sheet: Sheet) -> None:
        configuration = self._vitals.configuration
        if configuration is None:
            return
        sheet.add("config_last_reload_successful", configuration.successful)
        _add_instant(sheet, "config_last_reload_success_timestamp_seconds", configuration.loaded_at)
        # 48 bits are exact in the floating point number that a sample is.
        sheet.add("config_hash", int(configuration.digest[:12], 16))


def _add_instant(sheet: Sheet, name: str, instant: datetime | None) -> None:
    if instant is not None:
        sheet.add(name, instant.timestamp())


def _add_leading(sheet: Sheet, leading: Leading) -> None:
    sheet.add("leader", leading.leads)
    if leading.lease is not None:
        sheet.add("lease_term", leading.lease.token)
        _add_instant(sheet, "lease_renewed_timestamp_seconds", leading.lease.renewed)
        _add_instant(sheet, "lease_expires_timestamp_seconds", leading.lease.expires)
    sheet.add("lease_takeovers_total", leading.takeovers)
    sheet.add("fenced_writes_total", leading.refused)
    sheet.add("store_reachable", leading.reachable)
    sheet.add("lease_failures_total", leading.failures)
    sheet.add("clock_skew_seconds", leading.skew.total_seconds())


def _add_mirroring(sheet: Sheet, mirroring: Mirroring) -> None:
    sheet.add("registry_up", mirroring.up)
    sheet.add("registry_unreachable_seconds", mirroring.unreachable_seconds)
    _add_instant(sheet, "registry_last_look_timestamp_seconds", mirroring.looked_at)
    if mirroring.waiting is not None:
        sheet.add("registry_outbox_pending", mirroring.waiting)
        sheet.add("registry_outbox_oldest_seconds", mirroring.oldest_seconds)
    for model, found in mirroring.models.items():
        sheet.add("registry_model_found", found, model=model)
    for model, outside in mirroring.outside.items():
        sheet.add("registry_alias_outside", outside, model=model)


def _add_gating(sheet: Sheet, gating: Gating) -> None:
    if gating.age is not None:
        sheet.add("gate_answers_age_seconds", gating.age)
    for (model, version), action in gating.answers.items():
        sheet.add("gate_answer", 1, model=model, version=version, action=action)
    for (model, action), times in gating.asked.items():
        sheet.add("gate_requests_total", times, model=model, action=action)
    for model, longest in gating.longest.items():
        sheet.add("gate_max_stop_seconds", longest.total_seconds(), model=model)
    for model, doubted in gating.doubted.items():
        sheet.add("gate_in_doubt", doubted, model=model)
    for model, gone in gating.unwatched.items():
        sheet.add("model_unwatched", gone, model=model)


def _add_audited(sheet: Sheet, audited: Audited) -> None:
    log = audited.log.origin
    sheet.add("audit_log_size", audited.log.size, log=log)
    for number, part in enumerate(parts_of(audited.log.root)):
        sheet.add("audit_root_part", part, log=log, part=str(number))
    if audited.at is not None:
        sheet.add("audit_last_record_timestamp_seconds", audited.at.timestamp(), log=log)
    if audited.differences is not None:
        sheet.add("audit_state_differences", audited.differences, log=log)
    for witness, said in audited.witnesses.items():
        sheet.add("audit_cosigned_size", said.size, log=log, witness=witness)
        sheet.add("audit_witness_refuses", said.refuses, log=log, witness=witness)
        if said.at is not None:
            at = said.at.timestamp()
            sheet.add("audit_cosigned_timestamp_seconds", at, log=log, witness=witness)
