from datetime import UTC, datetime, timedelta

from prometheus_client.parser import text_string_to_metric_families

from monitor.domain.lease import Lease
from monitor.exposition.auditing import Audited, Cosigned
from monitor.exposition.catalogue import CATALOGUE
from monitor.exposition.family import Part
from monitor.exposition.gating import Gating
from monitor.exposition.leading import Leading
from monitor.exposition.page import Results, ResultsPage
from monitor.exposition.process import ProcessMetrics
from monitor.exposition.registry import REGISTRY, Mirroring
from monitor.exposition.vitals import Configuration, Vitals
from monitor.governance.checkpoint import Checkpoint

NOON = datetime(2005, 9, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(seconds=15)
LEADING = Leading(
    leads=True,
    lease=Lease("ada", "m1", 7, NOON, NOON, LATER),
    takeovers=2,
    refused=1,
    failures=4,
    reachable=True,
    skew=timedelta(seconds=-90),
)

MIRRORING = Mirroring(
    up=True,
    looked_at=NOON,
    waiting=3,
    oldest_seconds=90,
    models={"credit": True, "fraud": False},
    outside={"credit": True},
)

GATING = Gating(
    age=0.2,
    answers={("credit", "3"): "allow"},
    asked={("credit", "deny"): 12},
    longest={"credit": timedelta(seconds=360)},
    doubted={"credit": True},
    unwatched={"credit": False, "gone": True},
)


AUDITED = Audited(
    Checkpoint("prod", 17, bytes(31) + b"\x05"), LATER, 0, {"w1": Cosigned(16, NOON, refuses=True)}
)


def scrape(vitals, page=None):
    text = ProcessMetrics(vitals, page or ResultsPage()).render().decode()
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_counters_are_there_at_zero_before_anything_happened():
    series = scrape(Vitals(name for name in ("credit",)))
    assert series["modelmon_check_missed_runs_total", "credit"] == 0
    assert series["modelmon_check_overlapping_runs_total", "credit"] == 0
    assert series["modelmon_check_errors_total", "credit"] == 0
    assert series["modelmon_log_messages_total", "error"] == 0


def test_an_instant_that_has_not_come_is_absent():
    names = {name for name, *_ in scrape(Vitals())}
    assert "modelmon_scheduler_heartbeat_timestamp_seconds" not in names
    assert "modelmon_results_exported_timestamp_seconds" not in names
    assert "modelmon_config_last_reload_successful" not in names


def test_everything_that_was_noted_is_shown():
    vitals, page = Vitals(["credit", "other"]), ResultsPage()
    page.publish(Results(), NOON)
    vitals.beat(NOON)
    vitals.count_missed("credit", 3)
    vitals.count_overlap("credit")
    vitals.count_error("other")
    vitals.count_message("error")
    vitals.looked_back("credit", 2, 5)
    vitals.pruned(LATER)
    vitals.configured(Configuration("00000000000f" + "a" * 52, NOON, successful=False))
    vitals.led(lambda: LEADING)
    vitals.mirrored(lambda: MIRRORING)
    vitals.gated(lambda: GATING)
    vitals.attested(lambda: AUDITED)
    series = scrape(vitals, page)
    assert series["modelmon_results_exported_timestamp_seconds",] == NOON.timestamp()
    assert series["modelmon_scheduler_heartbeat_timestamp_seconds",] == NOON.timestamp()
    assert series["modelmon_check_missed_runs_total", "credit"] == 3
    assert series["modelmon_check_overlapping_runs_total", "credit"] == 1
    assert series["modelmon_check_errors_total", "other"] == 1
    assert series["modelmon_closed_windows_changed", "credit"] == 2
    assert series["modelmon_late_files", "credit"] == 5
    assert series["modelmon_store_pruned_timestamp_seconds",] == LATER.timestamp()
    assert series["modelmon_log_messages_total", "error"] == 1
    assert series["modelmon_config_last_reload_successful",] == 0
    assert series["modelmon_config_hash",] == 15
    assert series["modelmon_leader",] == 1
    assert series["modelmon_lease_term",] == 7
    assert series["modelmon_lease_renewed_timestamp_seconds",] == NOON.timestamp()
    assert series["modelmon_lease_expires_timestamp_seconds",] == LATER.timestamp()
    assert series["modelmon_lease_takeovers_total",] == 2
    assert series["modelmon_fenced_writes_total",] == 1
    assert series["modelmon_store_reachable",] == 1
    assert series["modelmon_lease_failures_total",] == 4
    assert series["modelmon_clock_skew_seconds",] == -90
    assert series["modelmon_gate_answers_age_seconds",] == 0.2
    assert series["modelmon_gate_answer", "allow", "credit", "3"] == 1
    assert series["modelmon_gate_requests_total", "deny", "credit"] == 12
    assert series["modelmon_gate_max_stop_seconds", "credit"] == 360
    assert (
        series["modelmon_gate_in_doubt", "credit"]
        == series["modelmon_model_unwatched", "gone"]
        == 1
    )
    assert series["modelmon_audit_log_size", "prod"] == 17
    assert [series["modelmon_audit_root_part", "prod", str(n)] for n in range(5)] == [0, 0, 0, 0, 5]
    assert series["modelmon_audit_last_record_timestamp_seconds", "prod"] == LATER.timestamp()
    assert series["modelmon_audit_state_differences", "prod"] == 0
    assert series["modelmon_audit_cosigned_size", "prod", "w1"] == 16
    assert series["modelmon_audit_cosigned_timestamp_seconds", "prod", "w1"] == NOON.timestamp()
    assert series["modelmon_audit_witness_refuses", "prod", "w1"] == 1
    expected = {family.name for family in CATALOGUE if family.part is Part.PROCESS}
    assert {name for name, *_ in series if name.startswith("modelmon_")} == expected


def test_the_process_and_the_interpreter_are_shown():
    names = {name for name, *_ in scrape(Vitals())}
    assert {"process_resident_memory_bytes", "python_info"} <= names


def test_the_age_of_a_heartbeat_is_taken_on_the_clock_that_never_jumps():
    seconds = [100.0]
    vitals = Vitals(monotonic=lambda: seconds[0])
    seconds[0] = 107.0
    assert vitals.heartbeat_age == 7
    vitals.beat(NOON)
    assert vitals.heartbeat_age == 0


def test_models_that_are_no_longer_watched_lose_their_series_and_new_ones_begin_at_zero():
    vitals = Vitals(["credit", "fraud"])
    for model in ("credit", "fraud"):
        vitals.count_missed(model, 2)
        vitals.looked_back(model, 1, 1)
    vitals.watch(["fraud", "churn"])
    vitals.count_missed("credit", 1)  # a check of it that was under way
    vitals.looked_back("credit", 1, 1)
    series = scrape(vitals)
    assert not [key for key in series if "credit" in key]
    assert series["modelmon_check_missed_runs_total", "fraud"] == 2
    assert series["modelmon_late_files", "fraud"] == 1
    assert series["modelmon_check_missed_runs_total", "churn"] == 0
    assert ("modelmon_late_files", "churn") not in series


def test_every_counter_of_every_model_begins_at_zero():
    series = scrape(Vitals(model for model in ("credit", "fraud")))
    for counter in ("check_missed_runs", "check_overlapping_runs", "check_errors"):
        for model in ("credit", "fraud"):
            assert series[f"modelmon_{counter}_total", model] == 0


def test_a_refused_configuration_leaves_the_one_in_force():
    vitals = Vitals()
    vitals.configured(Configuration("00000000000f" + "a" * 52, NOON))
    vitals.refused()
    series = scrape(vitals)
    assert series["modelmon_config_last_reload_successful",] == 0
    assert series["modelmon_config_last_reload_success_timestamp_seconds",] == NOON.timestamp()
    assert series["modelmon_config_hash",] == 15


def test_a_replica_that_never_reached_the_store_says_so_and_shows_no_lease():
    vitals = Vitals()
    vitals.led(lambda: Leading(False, None, 0, 0, 1, False, timedelta(0)))  # noqa: FBT003
    series = scrape(vitals)
    assert series["modelmon_leader",] == series["modelmon_store_reachable",] == 0
    assert not any("lease_expires" in name for name, *_ in series)


def test_who_stands_by_forgets_what_only_the_leader_knows():
    vitals = Vitals(["credit"])
    vitals.looked_back("credit", 2, 5)
    vitals.pruned(LATER)
    vitals.stood_by()
    assert vitals.late == {}


def test_a_registry_that_is_looked_at_is_shown_and_one_that_is_not_has_no_series():
    vitals = Vitals(["credit"])
    vitals.mirrored(lambda: None)
    assert not [name for name, *_ in scrape(vitals) if "registry" in name]
    vitals.mirrored(lambda: MIRRORING)
    series = scrape(vitals)
    assert {name for name, *_ in series if "registry" in name} == {each.name for each in REGISTRY}
    assert series["modelmon_registry_up",] == 1
    assert series["modelmon_registry_outbox_oldest_seconds",] == 90
    assert series["modelmon_registry_model_found", "fraud"] == 0
    assert series["modelmon_registry_alias_outside", "credit"] == 1


def test_what_waits_is_not_shown_as_nothing_where_it_cannot_be_counted():
    vitals = Vitals()
    vitals.mirrored(lambda: Mirroring(up=False, waiting=None))
    series = scrape(vitals)
    assert series["modelmon_registry_up",] == 0
    assert ("modelmon_registry_outbox_pending",) not in series
    assert ("modelmon_registry_outbox_oldest_seconds",) not in series
