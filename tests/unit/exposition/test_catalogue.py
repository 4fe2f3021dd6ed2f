import re

from monitor.exposition.catalogue import CATALOGUE
from monitor.exposition.family import PREFIX, Kind

TARGET_LABELS = {"job", "instance", "env", "environment", "stage", "region", "zone", "cluster"}
TARGET_LABELS |= {"service", "owner", "customer", "type", "namespace", "pod", "container"}


def test_every_name_is_there_once_and_has_the_prefix():
    names = [family.name for family in CATALOGUE]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(PREFIX + r"[a-z][a-z0-9_]*", name) for name in names)


def test_counters_and_only_counters_end_in_total():
    for family in CATALOGUE:
        assert family.name.endswith("_total") == (family.kind is Kind.COUNTER), family.name


def test_the_unit_seconds_is_in_the_name():
    for family in CATALOGUE:
        assert (family.unit == "seconds") == family.name.endswith("_seconds"), family.name


def test_no_label_collides_with_what_a_scrape_adds():
    for family in CATALOGUE:
        assert not set(family.labels) & TARGET_LABELS, family.name
        assert len(set(family.labels)) == len(family.labels), family.name


def test_every_help_text_is_one_line_that_ends_in_a_full_stop():
    for family in CATALOGUE:
        assert family.help.endswith("."), family.name
        assert "\n" not in family.help, family.name
