"""Whether a policy still reads groups as its baseline did."""

import pytest
from msgspec.structs import replace

from monitor.domain.errors import BaselineError
from monitor.domain.field import Attribute, Label, ObservedWhen, Stratum
from monitor.engine.frozen import check_frozen
from monitor.profile.codec import grid_from_bytes, grid_to_bytes
from monitor.profile.draft import GridDraft
from tests.held import Deployment

RACE = Attribute("race", "RAC", {"1": "white", "2": "black", "3": "black"}, declined=("8",))
AGE = Attribute("age", "age", bins=(40.0,), labels=("young", "old"), unknown=("-1",))
SEX = Attribute("sex", "sex", declined=("x",))
PRODUCT = Stratum(Attribute("product", "product", {"c": "card"}), "r.lee", "priced before")


@pytest.fixture
def frozen(tmp_path):
    policy = replace(
        Deployment(tmp_path).policy,
        fields=(),
        segments=(),
        attributes={"race": RACE, "age": AGE, "sex": SEX},
        strata={"product": PRODUCT},
    )
    strata = {"product": PRODUCT.factor}
    return policy, GridDraft(
        (), policy.attributes, policy.decision, policy.label, strata=strata
    ).grid()


def test_what_does_not_change_whose_a_value_is_needs_no_other_baseline(frozen):
    policy, grid = frozen
    check_frozen(policy, "1", grid)
    turned = dict(reversed(RACE.values.items()))
    attributes = {
        "race": replace(RACE, values=turned, reference="black", legal_basis="law"),
        "age": replace(AGE, retention_days=3),
        "sex": SEX,
    }
    strata = {"product": replace(PRODUCT, approved_by="j.doe", reason="as agreed")}
    check_frozen(replace(policy, attributes=attributes, strata=strata), "1", grid)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        (replace(RACE, values={"1": "black", "2": "white", "3": "black"}), "attribute race"),
        (replace(RACE, values={**RACE.values, "4": "black"}), "attribute race"),
        (replace(RACE, declined=("9",)), "attribute race"),
        (replace(RACE, declined=()), "attribute race"),
        (replace(AGE, labels=("under", "over")), "attribute age"),
        (replace(AGE, bins=(62.0,)), "attribute age"),
        (replace(AGE, unknown=()), "attribute age"),
        (replace(SEX, declined=("y",)), "attribute sex"),
        (replace(SEX, column="gender"), "attribute sex"),
        (Attribute("wealth", "wealth"), r"attribute wealth \(new\)"),
    ],
)
def test_an_attribute_that_is_read_otherwise_needs_another_baseline(frozen, changed, told):
    policy, grid = frozen
    attributes = {**policy.attributes, changed.name: changed}
    with pytest.raises(BaselineError, match=f"changed how it reads {told};"):
        check_frozen(replace(policy, attributes=attributes), "1", grid)


def test_a_stratum_that_is_read_otherwise_needs_another_baseline(frozen):
    policy, grid = frozen
    other = replace(PRODUCT, factor=replace(PRODUCT.factor, values={"c": "cards"}))
    new = Stratum(Attribute("region", "region"), "r.lee", "priced before")
    strata = {"product": other, "region": new}
    with pytest.raises(BaselineError, match=r"stratum product, stratum region \(new\);"):
        check_frozen(replace(policy, strata=strata), "1", grid)


def test_when_labels_can_be_known_may_be_said_before_and_after_registration(frozen):
    policy, _ = frozen
    label = Label("y", ("1",), observed_when=ObservedWhen.POSITIVE)
    grid = GridDraft((), policy.attributes, policy.decision, label).grid()
    stored = grid_from_bytes(grid_to_bytes(grid))
    later = {"attributes": policy.attributes, "strata": {}}
    for known in (label, replace(label, observed_when=None)):
        check_frozen(replace(policy, label=known, **later), "1", stored)
    with pytest.raises(BaselineError, match="changed how it reads the label;"):
        check_frozen(replace(policy, label=replace(label, positive=("2",)), **later), "1", stored)
