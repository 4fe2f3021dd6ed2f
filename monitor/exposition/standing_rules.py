"""Rules on what versions may do: one was held, a case is due, one was not answered in time."""

from monitor.exposition.rule import Alert

NEAR = 6 * 3600
"""Seconds before its deadline from which on a case is told of: half a day's work at the most."""

STANDING_ALERTS = (
    Alert(
        "ModelMonVersionHeld",
        'max by (job, model, model_version) (modelmon_version_state{state="held"}) == 1',
        "critical",
        "Version {{ $labels.model_version }} of model {{ $labels.model }} is held",
        'Model "{{ $labels.model }}": version "{{ $labels.model_version }}" may not act until a second person releases it.'
        " Ask: modelmon standing --model {{ $labels.model }}",
    ),
    Alert(
        "ModelMonUnwatched",
        "max by (job, model) (modelmon_model_unwatched) == 1",
        "critical",
        "Model {{ $labels.model }} has versions to be answered for, and nobody watches it",
        "No file names model {{ $labels.model }} any more: the gate denies it, and what asks no gate goes on deciding."
        " Ask: modelmon doctor; modelmon authority --model {{ $labels.model }}",
        wait="5m",
        owned=False,  # who owns it was said in the file
    ),
    Alert(
        "ModelMonApprovalUnseen",
        "max by (job, model, model_version, evidence) (modelmon_evidence_unseen) == 1",
        "warning",
        "The {{ $labels.evidence }} that version {{ $labels.model_version }} of model {{ $labels.model }} was approved by cannot be looked at",
        'Model "{{ $labels.model }}": nobody can say whether the {{ $labels.evidence }} of version "{{ $labels.model_version }}"'
        " is still what was approved. The file is named under rests_on in the policy; the log of the daemon says why."
        " Where it is not there, the approval is void after a day.",
    ),
    Alert(
        "ModelMonCaseDue",
        "min by (job, model, model_version, case, cause, rung) (modelmon_case_deadline_timestamp_seconds) - time()"
        f" < {NEAR}",
        "warning",
        "Case {{ $labels.case }} of model {{ $labels.model }} is due",
        'Model "{{ $labels.model }}" version "{{ $labels.model_version }}": case {{ $labels.case }}'
        " ({{ $labels.cause }}) is to be closed within six hours; then the version loses more, or somebody higher up is told."
        " Ask: modelmon cases show {{ $labels.model }} {{ $labels.case }}",
    ),
    Alert(
        "ModelMonCaseMissed",
        "max by (job, model, model_version, case, cause, rung) (modelmon_case_deadlines_missed) > 0",
        "critical",
        "Case {{ $labels.case }} of model {{ $labels.model }} was not answered in time",
        'Model "{{ $labels.model }}" version "{{ $labels.model_version }}": case {{ $labels.case }}'
        " ({{ $labels.cause }}) has missed {{ $value }} of its deadlines."
        " Ask: modelmon cases show {{ $labels.model }} {{ $labels.case }}",
    ),
)
