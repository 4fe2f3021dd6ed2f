"""What a model decides and what came of it: sections of its file to domain values."""

from collections.abc import Mapping, Sequence

from monitor.config.defaults import DEFAULT_ERROR, DEFAULT_METRIC, EITHER
from monitor.config.document import Document
from monitor.config.metric_checks import metrics_without_decision
from monitor.config.sections import ClassesSection, LabelSection, ModelSection
from monitor.domain.field import Classes, Decision, Effect, Label, ObservedWhen
from monitor.measures.aliases import metrics_named


def decision_of(model: ModelSection) -> Decision | None:
    """Return the decision, as its section or the favourable classes say it; None without either."""
    classes, section = model.classes, model.decision
    if classes is not None and classes.favourable is not None:
        return Decision(classes.column, *_favourable(classes), effect=Effect.FAVOURABLE)
    if section is None:
        return None
    return Decision(
        column=section.column,
        positive=tuple(section.positive or ()),
        negative=tuple(section.negative or ()),
        at_least=section.at_least,
        effect=Effect(section.positive_is) if section.positive_is else None,
    )


def label_of(model: ModelSection) -> Label | None:
    """Return the label, positive where it is a favourable class if such are given."""
    classes, section = model.classes, model.label
    if section is None:
        return None
    values = tuple(section.positive or ()), tuple(section.negative or ())
    if classes is not None and classes.favourable is not None:
        meant = classes_of(classes, section).by_label
        good, others = _favourable(classes)
        values = _labels_of(good, meant), _labels_of(others, meant)
    return Label(
        section.column,
        *values,
        ObservedWhen(section.observed_when) if section.observed_when else None,
    )


def _favourable(classes: ClassesSection) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the classes that are favourable, and those that are not, in the order of the classes."""
    favourable = set(classes.favourable or ())
    return (
        tuple(value for value in classes.values if value in favourable),
        tuple(value for value in classes.values if value not in favourable),
    )


def _labels_of(names: Sequence[str], meant: Mapping[str, str]) -> tuple[str, ...]:
    """Return the labels that mean each of some classes, in the order of the classes."""
    return tuple(text for name in names for text in meant if meant[text] == name)


def compared_metrics(section: ModelSection, document: Document) -> tuple[str, ...]:
    """Return the metrics that are compared between groups, each once, in the order of the list."""
    given = section.limits.disparity.metrics
    if given is not None:
        named = [metric for name in given for metric in metrics_named(name)]
        return tuple(dict.fromkeys(named))
    effects = against_rest(section).values()
    decision, label = decision_of(section), label_of(section)
    if decision is None and section.populations:
        usual = metrics_without_decision(document)
        return (*usual, *_rates(label, *effects)) if effects else usual
    if decision is None or decision.effect is None or label is None or not label.positive:
        return tuple(dict.fromkeys((DEFAULT_METRIC, *(_rates(label, *effects) if effects else ()))))
    return _rates(label, decision.effect, *effects)


def _rates(label: Label | None, *effects: Effect | None) -> tuple[str, ...]:
    """Return the rates that are compared where an outcome has each of some effects."""
    if label is None or label.observed_when is not None:
        return (DEFAULT_METRIC,)  # the errors of the other decision are never seen
    errors = [DEFAULT_ERROR[effect] for effect in Effect if {effect, None}.intersection(effects)]
    return DEFAULT_METRIC, *errors


def against_rest(section: ModelSection) -> Mapping[str, Effect | None]:
    """Return the classes that are held against all others, and what being given each does."""
    given = section.classes and section.classes.one_against_rest
    return {
        name: None if effect == EITHER else Effect(effect) for name, effect in (given or {}).items()
    }


def classes_of(section: ClassesSection, label: LabelSection | None) -> Classes:
    """Return the classes that the model chooses one of, and what the label says for each."""
    columns = section.probabilities or {}
    return Classes(
        section.column,
        tuple(section.values),
        tuple(columns[value] for value in section.values) if columns else (),
        tuple((label.values or {}).items()) if label else (),
    )
