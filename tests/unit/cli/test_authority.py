"""``modelmon authority``: an instant, or the decisions of a period, and not both."""

import pytest

from monitor.cli.main import run


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--decisions", "--at", "2026-09-20"), "--at is an instant; --decisions takes --from"),
        (("--from", "2026-09-20", "--to", "2026-09-21"), "--from and --to go with --decisions"),
    ],
)
def test_an_instant_and_a_period_are_two_questions(arguments, told, capsys):
    assert run(["authority", *arguments]) == 2
    assert told in capsys.readouterr().err
