"""``modelmon doctor``: is everything there that the daemon needs?"""

from pathlib import Path

import click

from monitor.cli.output import Output, output_option, say, write_tables
from monitor.reports.table import Table


@click.command()
@output_option
@click.pass_obj
def doctor(config_file: Path, output: Output) -> int:
    """Look at everything that the daemon needs, and say what to do where something is wrong.

    The configuration, the store and its schema, clocks, the model registry, the baselines, logs and labels of every
    model, which windows are due, and how many series there are. Nothing is run or changed. Exits
    with 1 when something fails; a warning is no failure.
    """
    from monitor.doctor import examine
    from monitor.engine.examine import Condition

    seen = list(examine(config_file))
    rows = tuple((item.condition, item.what, item.of, item.found, item.advice) for item in seen)
    columns = ("condition", "what", "model", "found", "what to do")
    write_tables([Table("What the daemon needs", columns, rows)], output)
    failed = sum(item.condition is Condition.FAIL for item in seen)
    say(f"modelmon: {failed:,} of {len(seen):,} checks failed")
    return int(bool(failed))
