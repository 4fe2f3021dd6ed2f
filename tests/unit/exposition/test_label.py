from hypothesis import given
from hypothesis import strategies as st

from monitor.exposition.label import LONGEST, label_value

NAMES = st.text(st.characters())  # surrogates and control characters included


def test_an_ordinary_name_stays_as_it_is():
    for name in ("age", "sex × race", "naïve 🙂", 'say "hi"', "back\\slash", "two\nlines", ""):
        assert label_value(name) == name


def test_control_characters_and_lone_surrogates_are_replaced_and_the_name_is_marked():
    shown = label_value("a\0b\ud800")
    assert shown.startswith("a�b�~")
    assert len(shown) == 4 + 17


def test_a_long_name_is_cut_to_the_limit_and_stays_apart_from_its_neighbour():
    one, other = label_value("x" * 10_000), label_value("x" * 10_001)
    assert len(one) == len(other) == LONGEST
    assert one != other


def test_a_name_of_the_greatest_length_is_not_cut():
    assert label_value("x" * LONGEST) == "x" * LONGEST


def test_a_name_that_imitates_a_mark_is_not_taken_for_the_name_that_was_marked():
    marked = label_value("a\0")
    assert label_value(marked) != marked


@given(st.lists(NAMES, unique=True, max_size=8))
def test_different_names_are_different_label_values(names):
    assert len({label_value(name) for name in names}) == len(names)


@given(NAMES)
def test_every_label_value_is_short_and_can_be_encoded(name):
    shown = label_value(name)
    assert len(shown) <= LONGEST
    assert "\0" not in shown.encode().decode()
