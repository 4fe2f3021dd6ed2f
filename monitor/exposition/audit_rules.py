"""Rules on the audit log: Prometheus remembers what it was, and notices that nothing is written."""

from monitor.exposition.rule import Alert

_BY = "by (job, log)"

AUDIT_ALERTS = (
    Alert(
        "ModelMonAuditRewritten",
        f"max {_BY} (resets(modelmon_audit_log_size[1d])) > 0\n"
        f"or max {_BY} (max_over_time((changes(modelmon_audit_root_part[5m])\n"
        "  unless on (job, instance, log) changes(modelmon_audit_log_size[5m]) > 0)[1d:1m])) > 0",
        "critical",
        "The audit log is not the one that it was",
        "The audit log {{ $labels.log }} has lost records, or has others in their place: Prometheus has stored what it was."
        " Ask: modelmon audit verify --prometheus URL",
        held=False,  # it is of a day: an outage of the daemon ends it no sooner
        owned=False,
    ),
    Alert(
        "ModelMonAuditDiffers",
        f"max {_BY} (modelmon_audit_state_differences) > 0",
        "critical",
        "What versions may do was changed past the audit log",
        "What is stored of versions, requests, cases or waivers is not what the audit log {{ $labels.log }} adds up to."
        " Ask: modelmon audit replay",
        owned=False,
    ),
    Alert(
        "ModelMonGateInDoubt",
        "max by (job, model) (modelmon_gate_in_doubt) == 1",
        "critical",
        "The gate denies a model whose stored state is not believed",
        "Every version of {{ $labels.model }} is denied: what is stored of it, or the audit log itself, is not what was signed."
        " Ask: modelmon audit replay; modelmon audit verify",
    ),
    Alert(
        "ModelMonAuditSilent",
        f"time() - max {_BY} (modelmon_audit_last_record_timestamp_seconds) > 7200",
        "warning",
        "Nothing is written to the audit log",
        "The newest record of the audit log {{ $labels.log }} is {{ $value | humanizeDuration }} old; there is one each hour.",
        wait="10m",
        owned=False,
    ),
    Alert(
        "ModelMonWitnessRefuses",
        "max by (job, log, witness) (modelmon_audit_witness_refuses) == 1",
        "critical",
        "A witness refuses the audit log",
        "The witness {{ $labels.witness }} does not cosign the audit log {{ $labels.log }}: it may have seen another one."
        " Ask: modelmon doctor",
        owned=False,
    ),
    Alert(
        "ModelMonWitnessSilent",
        "time() - max by (job, log, witness) (modelmon_audit_cosigned_timestamp_seconds) > 10800\n"
        "or max by (job, log, witness) (modelmon_audit_cosigned_size) == 0",
        "warning",
        "A witness has not cosigned the audit log for long",
        "The witness {{ $labels.witness }} has not cosigned the audit log {{ $labels.log }} for three hours, or never."
        " Ask: modelmon doctor",
        wait="15m",
        owned=False,
    ),
)
