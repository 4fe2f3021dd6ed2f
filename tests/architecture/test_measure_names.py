"""The plain list that configuration is checked with says what the catalogue says."""

from monitor.domain.field import Effect
from monitor.measures.aliases import METRIC_ALIASES, metrics_named
from monitor.measures.catalogue import EVERY
from monitor.measures.direction import either_side
from monitor.measures.disparity.rates import HARM, RATES
from monitor.measures.measure import (
    ColumnMeasure,
    EmbeddingMeasure,
    FieldMeasure,
    GroupMeasure,
    ModelMeasure,
    VerdictMeasure,
)
from monitor.measures.names import (
    ESTIMATED_OF_GROUPS,
    MEASURE_NAMES,
    MEASURED_AS,
    METRIC_NAMES,
    OF_A_RATE,
    WITHIN_STRATA,
    MeasureName,
)

NONE = MeasureName("disparity", "group")
SUBJECTS = {
    FieldMeasure: "field",
    EmbeddingMeasure: "embedding",
    ModelMeasure: "model",
    GroupMeasure: "group",
    VerdictMeasure: "model",
    ColumnMeasure: "model",
}


def test_the_names_are_those_of_the_catalogue():
    expected = {item.about.id: (item.about.family.value, SUBJECTS[type(item)]) for item in EVERY}
    found = {name: (measure.family, measure.subject) for name, measure in MEASURE_NAMES.items()}
    assert found == expected


def test_each_rate_is_a_metric_with_its_six_measures():
    made = {item.about.id: item for item in EVERY}
    for metric, rate in RATES.items():
        assert METRIC_NAMES[metric].labels == rate.labels
        assert rate.numerator < rate.denominator
        for suffix in (*OF_A_RATE, *WITHIN_STRATA[metric]):
            assert made[metric + suffix].metric == MEASURE_NAMES[metric + suffix].metric == metric


def test_every_metric_is_measured_as_the_names_say_and_has_a_side_that_harms():
    for metric, suffixes in MEASURED_AS.items():
        made = [item.about.id for item in EVERY if getattr(item, "metric", "") == metric]
        expected = [name for name in made if name in ESTIMATED_OF_GROUPS]
        assert expected in ([], [f"estimated_{metric}"])
        of_metric, within = (
            [metric + suffix for suffix in some]
            for some in (suffixes, WITHIN_STRATA.get(metric, ()))
        )
        assert made == [*of_metric, *expected, *within]
    assert set(METRIC_NAMES) - set(HARM) == {"representation", "unknown_share"}
    assert all(set(sides) == set(Effect) for sides in HARM.values())


def test_other_names_lead_to_metrics():
    for alias, metrics in METRIC_ALIASES.items():
        assert alias not in METRIC_NAMES and metrics and set(metrics) <= set(METRIC_NAMES)
        assert metrics_named(alias.upper().replace("_", " ")) == metrics
    assert metrics_named("Equalized-Odds") == ("true_positive_rate", "false_positive_rate")
    assert metrics_named("nothing") == ()


def test_a_floor_is_for_a_level_that_has_one():
    floors = {name for name, measure in MEASURE_NAMES.items() if measure.floor}
    assert "label_coverage" in floors
    for item in EVERY:
        if item.about.id in floors:
            assert (item.about.unchanged, item.about.lower, item.about.upper) == (None, 0, 1)
            assert not either_side(item.about.id)


def test_what_is_measured_from_labels_waits_for_them():
    labels = {name for name, measure in MEASURE_NAMES.items() if measure.labels}
    performance = {name for name, item in MEASURE_NAMES.items() if item.family == "performance"}
    estimated = {name for name in performance if name.startswith("estimated_")}
    estimated |= {name for name in performance if name.endswith("_delay_adjusted")}
    assert len(estimated) == 16
    errors = {
        name for name, item in MEASURE_NAMES.items() if METRIC_NAMES.get(item.metric, NONE).labels
    }
    assert len(errors) == 6 * 9 + 2 * 4
    assert labels == {"label_rate", "label_shares", *performance, *errors} - estimated


def test_what_is_judged_on_either_side_can_go_either_way():
    for item in EVERY:
        if either_side(item.about.id):
            assert item.about.lower is None or item.about.lower < 0, item.about.id
