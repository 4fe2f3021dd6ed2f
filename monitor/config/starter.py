"""The commented file that ``modelmon init`` writes from what was found in a log.

What could be inferred is written; what only a person can say (whether a decision favours or harms,
which groups are protected) is a commented line that says so. The file passes ``modelmon config
check`` as it is, unless the log has no column with event times or none that can be watched; then
the check names what is missing.
"""

from collections.abc import Iterator, Sequence

from pydantic_core import PydanticCustomError

from monitor.config.content import inline
from monitor.config.defaults import DEFAULT_SLICES
from monitor.config.values import checked_name
from monitor.config.wording import quoted
from monitor.domain.field import Field, FieldKind
from monitor.domain.inferred import InferredColumn, RoleGuess
from monitor.domain.policy import TableFormat

_BINARY = ({"true", "false"}, {"true"}, {"false"}, {"0", "1"}, {"1"}, {"0"})
_FIELD_ROLES = (RoleGuess.FEATURE, RoleGuess.SCORE, RoleGuess.PREDICTION)
_SINGLE_ROLES = (
    RoleGuess.EVENT_TIME,
    RoleGuess.ID,
    RoleGuess.VERSION,
    RoleGuess.DECISION,
    RoleGuess.LABEL,
)
_POPULATION = RoleGuess.POPULATION
_SHOWN_EXAMPLES = 4
_SUGGESTED_SEGMENTS = 3  # three make three pairs
_UNQUOTED = (FieldKind.TEXT, FieldKind.EMBEDDING)  # what people wrote has no place in this file
_GOVERNANCE = (
    "# Before a version may act, somebody must answer. Until then the model is watched, and no more.",
    "# delegation:",
    "#   statement: # what may the machine decide?",
    "#   by: # which person delegated that to it?",
    "#   fallback: {target: } # where do decisions go that it may not make?",
    "# accountability: # people, as they log in",
    "#   accountable: # which one person answers when outcomes fail, and did not build it?",
    "#   owners: [] # who submits versions, and proposes changes of this file?",
    "#   operators: [] # who is called at night, and may stop it?",
    "#   validators: [] # who approves versions, and neither owns nor built it?",
    "#   governance: [] # who approves waivers, and changes that tolerate more?",
    "#   builders: [] # who built it?",
    "# risk:",
    "#   tier: # low, medium, high or prohibited: how much harm can it do?",
    "#   rationale: # why?",
    "#   limits: # which alerts have which consequence: watch, restrict, hold or stop?",
    "#     - {id: far-beyond, at: critical, consequence: hold}",
    "#     - {id: anything, at: warning, consequence: watch}",
)


def starter_yaml(
    model: str,
    path: str,
    columns: Sequence[InferredColumn],
    window: str = "day",
    kind: TableFormat = TableFormat.PARQUET,
) -> str:
    """Return the text of a model's file.

    Args:
        model: Name of the model.
        path: ``source.path`` as it is to be written.
        columns: The log's columns, in their order.
        window: ``schedule.window``.
        kind: ``source.format``.
    """
    lines = [
        "# Written by modelmon init from a sample of the log. Read it, then run: modelmon config check",
        "# A line that is commented out is for you to decide. Reference: docs/reference/config.md",
        "",
        f"model: {inline(model)}",
        "# owner: the person or team who owns this model",
        "",
        *_source(path, kind, columns),
        "",
        *_fields(columns),
        "",
        *_decision(_first(columns, RoleGuess.DECISION)),
        "",
        *_label(_first(columns, RoleGuess.LABEL)),
        "",
        *_populations(columns),
        "",
        *_segments(columns),
        "",
        "schedule:",
        f"  window: {inline(window)} # hour, day, week, month, quarter, year, or a length such as 6h",
        "  # lateness: 1d   wait so long for late rows",
        "",
        "# Limits have defaults; give your own where they do not fit. The number of rows has none: what is",
        "# usual only you can say. 0.5 is half of those of an average window gone, or half as many again.",
        "# limits:",
        "#   drift:",
        "#     psi: {warning: 0.1, critical: 0.25}",
        "#   quality:",
        "#     rows: {warning: 0.5}",
        "",
        *_GOVERNANCE,
    ]
    return "\n".join(lines) + "\n"


def _first(columns: Sequence[InferredColumn], role: RoleGuess) -> InferredColumn | None:
    return next((column for column in columns if column.role is role), None)


def _source(path: str, kind: TableFormat, columns: Sequence[InferredColumn]) -> Iterator[str]:
    yield "source:"
    yield f"  path: {inline(path)}"
    if kind is not TableFormat.PARQUET:
        yield f"  format: {kind}"
    event_time = _first(columns, RoleGuess.EVENT_TIME)
    if event_time:
        yield f"  event_time: {inline(event_time.name)} # {_about(event_time)}"
    else:
        yield "  # No column looks like the time of the prediction; name it:"
        yield "  # event_time: the_column"
    yield "  timezone: UTC # the zone of event times that carry none"
    for key, role in (("id", RoleGuess.ID), ("version", RoleGuess.VERSION)):
        column = _first(columns, role)
        if column:
            yield f"  {key}: {inline(column.name)} # {_about(column)}"
    yield "  # Labels that come later, joined by id:"
    yield "  # labels: {path: the_folder, id: the_id_column, time: the_time_column}"


def _fields(columns: Sequence[InferredColumn]) -> Iterator[str]:
    watched = [column for column in columns if column.role in _FIELD_ROLES]
    if any(_is_field(column) for column in watched):
        yield "fields: # numeric, categorical, boolean, datetime, text or embedding"
    else:
        yield "# No column could be taken for a field; name at least one:"
        yield "# fields:"
        yield "#   the_column: numeric"
    score = next((column for column in watched if _is_score(column)), None)
    names = {column.name for column in watched}
    for column in watched:
        taken = any(name != column.name and name in names for name in _counted_as(column))
        yield _field(column, is_score=column is score, taken=taken)
    placed = {_first(columns, role) for role in _SINGLE_ROLES}
    for column in columns:
        if column not in watched and column not in placed and column.role is not _POPULATION:
            yield f"  # {inline(column.name)} is not watched: {_about(column)}"


def _counted_as(column: InferredColumn) -> list[str]:
    """Return the names of the fields that a column would be counted as."""
    if column.kind is None:
        return []
    return [field.name for field in Field(column.name, column.name, column.kind).in_parts()]


def _field(column: InferredColumn, *, is_score: bool, taken: bool) -> str:
    name = inline(column.name)
    if column.kind is None:
        return f"  # {name} is not watched: no field has the type {quoted(column.type_text)}"
    if taken or not _is_field(column):
        return f"  # its_name: {{kind: {column.kind}, column: {name}}}   give this one a name"
    role = "score" if is_score else "prediction" if column.role is RoleGuess.PREDICTION else ""
    entry = f"{{kind: {column.kind}, role: {role}}}" if role else column.kind
    return f"  {name}: {entry} # {_about(column)}"


def _is_field(column: InferredColumn) -> bool:
    try:
        for name in (column.name, *_counted_as(column)):
            checked_name(name)
    except PydanticCustomError:
        return False
    return column.kind is not None


def _is_score(column: InferredColumn) -> bool:
    numeric = column.kind is FieldKind.NUMERIC
    return column.role is RoleGuess.SCORE and numeric and _is_field(column)


def _decision(column: InferredColumn | None) -> Iterator[str]:
    name = inline(column.name) if column else "the_column"
    positive = _positive(column) if column else None
    yield "# The model's decision. Disparity between groups is measured on it."
    if column and positive:
        yield "decision:"
        yield f"  column: {name} # {_about(column)}"
        yield f"  positive: [{positive}]"
        yield "  # positive_is: favourable   or harmful: what it does to the person it is about"
        return
    if column:
        yield f"# {name}: {_about(column)}. Say which values are positive:"
    yield "# decision:"
    yield f"#   column: {name}"
    yield "#   positive: [the_value]"
    yield "#   positive_is: favourable   or harmful: what it does to the person it is about"


def _label(column: InferredColumn | None) -> Iterator[str]:
    name = inline(column.name) if column else "the_column"
    yield "# The true outcome, in the log or in the label table."
    if column and _positive(column):
        yield "label:"
        yield f"  column: {name} # {_about(column)}"
        yield f"  positive: [{_positive(column)}]"
        return
    if column and column.kind is FieldKind.NUMERIC:
        yield "label:"
        yield f"  column: {name} # {_about(column)}"
        yield "  # positive: [1]   for an outcome that happens or does not; none for a number"
        return
    if column:
        yield f"# {name}: {_about(column)}. Say which values are positive:"
    yield "# label:"
    yield f"#   column: {name}"
    yield "#   positive: [the_value]   or, where a model chooses one of several classes, beside label:"
    yield "# classes: {column: the_prediction, values: [one, another, a_third]}"


def _populations(columns: Sequence[InferredColumn]) -> Iterator[str]:
    groups = [column for column in columns if column.role is _POPULATION]
    yield "# Protected attributes. With a decision they need decision.positive_is, which only you can say;"
    yield "# a model that gives a number needs none: groups are compared by its errors."
    for column in groups:
        yield f"# {inline(column.name)}: {_about(column)}"
    yield "# populations:"
    if not groups:
        yield "#   the_column: {}"
    for column in groups:
        many = column.kind is FieldKind.NUMERIC
        yield f"#   {inline(column.name)}: {'{bins: [25, 35, 45, 55]}' if many else '{}'}"


def _segments(columns: Sequence[InferredColumn]) -> Iterator[str]:
    dividing = [inline(column.name) for column in columns if _divides(column)][:_SUGGESTED_SEGMENTS]
    yield "# Drift, quality and performance are judged in each slice of these columns too: what is in one"
    yield "# slice only may hide in all rows. Name them before a baseline is registered."
    yield f"# segments: [{', '.join(dividing) or 'the_column'}]"
    if len(dividing) != 1:
        yield "# scan: {pairs: true} # in each crossing of two of them as well"


def _divides(column: InferredColumn) -> bool:
    """Return whether a column makes a few slices that people can name."""
    return (
        column.role in {RoleGuess.FEATURE, _POPULATION}
        and column.kind in {FieldKind.CATEGORICAL, FieldKind.BOOLEAN}
        and 1 < column.distinct <= DEFAULT_SLICES
        and _is_field(column)
    )


def _positive(column: InferredColumn) -> str | None:
    """Return the positive value of a column that holds yes and no only, None if none is evident."""
    if column.distinct > len(column.examples) or set(column.examples) not in _BINARY:
        return None
    return "1" if {"0", "1"} & set(column.examples) else "true"


def _about(column: InferredColumn) -> str:
    nulls = f", {column.null_share:.1%} null" if column.null_share else ""
    if column.kind in _UNQUOTED:
        return f"{_printable(column.type_text)}{nulls}"
    shown = ", ".join(quoted(text) for text in column.examples[:_SHOWN_EXAMPLES])
    examples = f", such as {shown}" if shown else ""
    return f"{_printable(column.type_text)}, {column.distinct} distinct{nulls}{examples}"


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text)
