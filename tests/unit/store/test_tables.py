from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import postgresql, sqlite

from monitor.store.tables import AnyText, CanonicalJson, Instant

DIALECTS = [sqlite.dialect(), postgresql.dialect()]
ZONES = st.timedeltas(timedelta(hours=-23), timedelta(hours=23)).map(timezone)


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
@given(
    instant=st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29), timezones=ZONES)  # noqa: DTZ001
)
def test_an_instant_comes_back_the_same_and_in_utc(dialect, instant):
    kind = Instant()
    back = kind.process_result_value(kind.process_bind_param(instant, dialect), dialect)
    assert back == instant
    assert back.tzinfo is UTC


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
def test_a_datetime_without_a_zone_is_refused(dialect):
    with pytest.raises(ValueError, match="carries a time zone: 2005-06-01"):
        Instant().process_bind_param(datetime(2005, 6, 1), dialect)  # noqa: DTZ001  # what is refused


@given(st.text(st.characters()))
def test_any_text_comes_back_and_holds_nothing_that_a_database_refuses(text):
    kind = AnyText()
    stored = kind.process_bind_param(text, DIALECTS[0])
    assert "\x00" not in stored
    stored.encode("utf-8")
    assert kind.process_result_value(stored, DIALECTS[0]) == text


def test_common_text_is_stored_letter_for_letter():
    assert AnyText().process_bind_param("sex × race – é", DIALECTS[0]) == "sex × race – é"


@given(st.dictionaries(st.text(st.characters()), st.floats(allow_nan=False, allow_infinity=False)))
def test_a_document_is_stored_the_same_in_any_order(document):
    kind = CanonicalJson()
    stored = kind.process_bind_param(document, DIALECTS[0])
    backwards = dict(reversed(document.items()))
    assert stored == kind.process_bind_param(backwards, DIALECTS[0])
    assert stored.isascii()
    assert kind.process_result_value(stored, DIALECTS[0]) == document


def test_nothing_stays_nothing():
    for kind in (Instant(), AnyText(), CanonicalJson()):
        for dialect in DIALECTS:
            assert kind.process_bind_param(None, dialect) is None
            assert kind.process_result_value(None, dialect) is None
