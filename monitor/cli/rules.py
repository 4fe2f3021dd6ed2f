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
@click.option(
    "--kubernetes", is_flag=True, help="As a PrometheusRule, which the Prometheus Operator reads."
)
def rules(job: str, runbooks: str, pages: str, *, kubernetes: bool) -> None:
    """Print the recording and alerting rules for Prometheus 2.42 and later.

    They name no model and hold no limit, so that they change with the program and not with a policy.
    """
    from monitor.exposition.resource import rule_resource
    from monitor.exposition.rules import rules_for

    text = rule_file(rules_for(job), runbooks, pages)
    click.echo(rule_resource(text) if kubernetes else text, nl=False)
