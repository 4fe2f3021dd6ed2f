"""``modelmon rules``: what Prometheus is to record and to alert on."""

import click

from monitor.exposition.rule import JOB, RUNBOOKS, rule_file


@click.command()
@click.option(
    "--job",
    default=JOB,
    show_default=True,
    help="The job_name under which Prometheus scrapes the daemon.",
)
@click.option(
    "--runbooks",
    default=RUNBOOKS,
    show_default=True,
    help="Folder or address of the pages that say what to do, as people reach them.",
)
def rules(job: str, runbooks: str) -> None:
    """Print the recording and alerting rules for Prometheus 2.42 and later.

    They name no model and hold no limit, so that they change with the program and not with a policy.
    """
    from monitor.exposition.rules import rules_for

    click.echo(rule_file(rules_for(job), runbooks), nl=False)
