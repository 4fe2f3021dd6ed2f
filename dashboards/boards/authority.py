"""What versions of a model may do, what they have done outside of that, and who has to answer."""

from dashboards.boards.panels import (
    AMBER,
    ANY_IS_BAD,
    GREEN,
    RED,
    Column,
    Line,
    Panels,
    lines,
    number,
    rows,
    states,
    words,
)
from dashboards.boards.queries import Scope

AUTHORITY = words({"0": ("nothing", RED), "1": ("conditions", AMBER), "2": ("all", GREEN)})
KNOWN = 'reason=~"not_acting|unknown_version"'
"""What is known to have been outside: of undecided and unrecorded decisions nobody can say."""
_VERSION = {"model_version": "Version"}


def of_authority(scope: Scope) -> Panels:
    """Return what is told of the authority of a model's versions."""
    return (*_decisions(scope), *_versions(scope), *_answers(scope))


def _decisions(scope: Scope) -> Panels:
    outside = scope.latest("decisions_outside_authority")
    broken = scope.latest("decisions_outside_condition")
    return (
        number(
            "Decisions outside authority",
            "Decisions of the latest window by versions that were not allowed to act when they were made, or "
            "that nobody knew. It says `no data` where that was not counted, which is not 0.",
            scope.total("decisions_outside_authority", KNOWN),
            colours=ANY_IS_BAD,
        ),
        number(
            "Decisions beyond a condition",
            "Decisions of the latest window beyond a condition of the permits of their time. It says "
            "`no data` where none was in force.",
            f"sum ({broken})",
            colours=ANY_IS_BAD,
        ),
        lines(
            "Decisions outside of what was allowed",
            "Decisions of the latest window by why they were outside; of undecided and unrecorded ones as many "
            "as there can be at most. `modelmon authority --decisions --model $model` has the times.",
            [
                Line(outside, "{{reason}}, version {{model_version}}"),
                Line(broken, "beyond {{condition}}, version {{model_version}}"),
                Line(
                    scope.latest("decisions_condition_unknown"),
                    "{{condition}} not known, version {{model_version}}",
                ),
            ],
            span=16,
        ),
    )


def _versions(scope: Scope) -> Panels:
    state = f"{scope.latest('version_state')} == 1"
    return (
        states(
            "What versions may do",
            "Nothing, what the policy's conditions allow, or all that was delegated. A version that was "
            "retired is absent. `modelmon authority --at TIME` says who approved it.",
            scope.latest("version_authority"),
            "version {{model_version}}",
            mapping=AUTHORITY,
            span=12,
        ),
        rows(
            "Versions",
            "Where each version stands, since when, and whether its approval is void because something that it "
            "rests on is another now.",
            [
                Column(state, "state now", hidden=True),
                Column(scope.latest("version_authority"), "May do", mapping=AUTHORITY),
                Column(
                    f"1000 * {scope.latest('version_state_since_timestamp_seconds')}",
                    "Since",
                    unit="dateTimeAsIso",
                ),
                Column(
                    scope.latest("approval_void"),
                    "Approval",
                    mapping=words({"0": ("holds", GREEN), "1": ("void", RED)}),
                ),
            ],
            labels={**_VERSION, "state": "State"},
            span=12,
        ),
    )


def _answers(scope: Scope) -> Panels:
    return (
        rows(
            "Open cases",
            "What somebody has to answer for, and by when; then its consequence goes further by itself.",
            [
                Column(scope.latest("case_deadlines_missed"), "Deadlines missed"),
                Column(
                    f"1000 * {scope.latest('case_deadline_timestamp_seconds')}",
                    "Due",
                    unit="dateTimeAsIso",
                ),
            ],
            labels={**_VERSION, "case": "Case", "cause": "Cause", "rung": "Rung"},
            span=12,
        ),
        rows(
            "Waivers",
            "Limits that have no consequence, and until when. They are measured all the same.",
            [
                Column(
                    f"1000 * {scope.latest('waiver_until_timestamp_seconds')}",
                    "Until",
                    unit="dateTimeAsIso",
                )
            ],
            labels={**_VERSION, "limit": "Limit"},
            span=6,
        ),
        rows(
            "Waiting for people",
            "Requests that nobody has decided on yet, by what they are for.",
            [Column(scope.latest("requests_pending"), "Requests")],
            labels={"kind": "For"},
            span=6,
        ),
    )
