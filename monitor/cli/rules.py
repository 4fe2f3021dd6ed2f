"""``modelmon rules``: what Prometheus is to record and to alert on."""

import click

from monitor.exposition.rule import JOB, PAGES, RUNBOOKS, rule_file


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
@click.option(
    "--pages",
    default=PAGES,
    show_default=True,
    help="Address of the daemon's pages, as people reach them: alerts link there.",
)
def rules(job: str, runbooks: str, pages: str) -> None:
    """Print the recording and alerting rules for Prometheus 2.42 and later.

    They name no model and hold no limit, so that they change with the program and not with a policy.
    """
    from monitor.exposition.rules import rules_for

    click.echo(rule_file(rules_for(job), runbooks, pages), nl=False)
