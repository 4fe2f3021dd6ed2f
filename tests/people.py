"""A real log of decisions on people of several groups, and a real store, for tests of reports."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from monitor.domain.field import Attribute, Decision, Effect, Field, FieldKind, Label, Population
from tests.held import DAY, Deployment, day

RATES = {"a": 0.2, "b": 0.5, "c": 0.2}
"""Share of positive decisions by group: those of b are decided on far more often."""

POPULATIONS = (Population(("sex",)), Population(("area",)), Population(("sex", "area")))

POLICY_TEXT = "model: credit\nowner: lending\n"


def deployment(folder, *, effect=Effect.HARMFUL, **policy):
    """Return a deployment whose days are written by `write`."""
    given = {
        "fields": (Field("amount", "amount", FieldKind.NUMERIC),),
        "decision": Decision("flag", ("true",), effect=effect),
        "label": Label("late", ("true",)),
        "attributes": {"sex": Attribute("sex", "sex"), "area": Attribute("area", "area")},
        "populations": POPULATIONS,
        "owner": "lending",
        "text": POLICY_TEXT,
    }
    return Deployment(folder, **(given | policy))


def write(
    made,
    place,
    *,
    areas=("a", "b", "c"),
    weights=(0.4, 0.35, 0.25),
    rows=1200,
    unknown=0.1,
    products=False,
    undecided=0,
):
    """Write a day of decisions; some people's area is not known, and some rows have no decision.

    With products, decisions on cards are many and on loans few, those on people of b fewer than on
    others of the same product: that most of them have cards makes them more over all rows.
    """
    rng = np.random.default_rng(place)
    area = rng.choice(areas, rows, p=weights)
    flag = rng.random(rows) < np.array([RATES.get(name, 0.2) for name in area])
    known = rng.random(rows) >= unknown
    card = rng.random(rows) < np.where(area == "b", 0.9, 0.1)
    if products:
        flag = rng.random(rows) < np.where(card, 0.6, 0.2) - np.where(area == "b", 0.1, 0.0)
    table = {
        "at": pa.array([day(place).start + row * DAY / rows for row in range(rows)], _INSTANT),
        "amount": rng.normal(size=rows),
        "flag": pa.array(flag, mask=np.arange(rows) < undecided),
        "late": rng.random(rows) < np.where(flag, 0.6, 0.1),
        "sex": rng.choice(["f", "m"], rows).tolist(),
        "area": [name if there else None for name, there in zip(area, known, strict=True)],
    }
    if products:
        table["product"] = np.where(card, "card", "loan").tolist()
    pq.write_table(pa.table(table), made.folder / f"{place}.parquet")


_INSTANT = pa.timestamp("us", "UTC")
