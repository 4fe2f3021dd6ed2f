import pytest

from tests.front_desk import FrontDesk


@pytest.fixture
def desk(tmp_path):
    opened = FrontDesk(tmp_path)
    yield opened
    opened.close()
