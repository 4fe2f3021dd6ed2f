"""``modelmon alerts``, ``mute`` and ``unmute``: what somebody is called for, and what not."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitor.cli.finding import full_fingerprint
from monitor.cli.governed import to_look
from monitor.cli.output import Output, output_option, say, write_document, write_tables
from monitor.cli.person import by_option, refusals_recorded, said
from monitor.cli.selection import INSTANT_HELP, chosen, instant

if TYPE_CHECKING:
    from monitor.domain.policy import Policy
    from monitor.engine.ports import Store


@click.group()
def alerts() -> None:
    """Show what somebody is called for: since when, and what has become of it."""


@alerts.command("list")
@click.option("--model", "models", multiple=True, help="Only of this model; may be repeated.")
@click.option("--all", "every", is_flag=True, help="Also those that are over.")
@output_option
@click.pass_obj
def list_alerts(config_file: Path, models: tuple[str, ...], output: Output, *, every: bool) -> None:
    """List the newest alert of each finding, the most urgent first."""
    from monitor import app
    from monitor.reports.alerts import Shown, alert_document, alert_table

    policies, store = to_look(config_file, models)
    now = app.SystemClock().now()
    shown = [
        Shown(policy, alert, mutes.get(alert.fingerprint), now)
        for policy in policies
        for mutes in [store.mutes(policy.model)]
        for alert in store.alerts(policy.model)
        if alert.open or every
    ]
    if output == "json":
        write_document([alert_document(item) for item in shown])
    elif shown:
        write_tables([alert_table(shown)], output)
    else:
        say("there is no alert" if every else "no alert is open")


@alerts.command()
@click.argument("finding")
@output_option
@click.pass_obj
def show(config_file: Path, finding: str, output: Output) -> None:
    """Show every alert of a finding, and what was known of it when.

    FINDING is a fingerprint or its first digits.
    """
    from monitor import app
    from monitor.reports.alerts import (
        Shown,
        alert_document,
        alert_table,
        event_document,
        event_table,
    )

    policy, store, fingerprint = _opened(config_file, finding)
    now = app.SystemClock().now()
    mute = store.mutes(policy.model).get(fingerprint)
    episodes = store.episodes(policy.model, fingerprint)
    shown = [Shown(policy, alert, mute, now) for alert in episodes]
    events = store.alert_events(policy.model, fingerprint)
    if output == "json":
        write_document(
            {
                "alerts": [alert_document(item) for item in shown],
                "events": [event_document(event) for event in events],
            }
        )
    elif shown or events:
        write_tables([alert_table(shown), event_table(events)], output)
    else:
        say(f"{fingerprint} was never beyond a limit")


@click.command()
@click.argument("finding")
@click.option("--until", required=True, metavar="TIME", help=f"When it ends: {INSTANT_HELP}.")
@click.option("--why", required=True, help="The reason; kept with the finding.")
@by_option
@click.pass_obj
def mute(config_file: Path, finding: str, until: str, why: str, by: str) -> None:
    """Call nobody for a finding until a time, at most 90 days away.

    It goes on to be measured and judged, and its alert lives on and is shown as muted: only the
    shipped rules keep silent. FINDING is a fingerprint or its first digits. A newer mute takes the
    place of an older one.
    """
    from monitor.engine import decisions
    from monitor.governance.authorisation import Action

    policy, store, fingerprint = _opened(config_file, finding, writes=True)
    end, words = instant(policy, "--until", until), said(by, why)
    with refusals_recorded(config_file, words.who, Action.MUTE, policy.model, words.at):
        decisions.mute(store, policy, fingerprint, end, words)
    say(f"{policy.model}: {fingerprint} is muted until {end:%Y-%m-%d %H:%M}Z")


@click.command()
@click.argument("finding")
@click.option("--why", required=True, help="The reason; kept with the finding.")
@by_option
@click.pass_obj
def unmute(config_file: Path, finding: str, why: str, by: str) -> None:
    """End the mute of a finding before its time."""
    from monitor.engine import decisions
    from monitor.governance.authorisation import Action

    policy, store, fingerprint = _opened(config_file, finding, writes=True)
    words = said(by, why)
    with refusals_recorded(config_file, words.who, Action.MUTE, policy.model, words.at):
        decisions.unmute(store, policy, fingerprint, words)
    say(f"{policy.model}: {fingerprint} is no longer muted")


def _opened(
    config_file: Path, finding: str, *, writes: bool = False
) -> "tuple[Policy, Store, str]":
    """Return the policy, the store and the whole fingerprint of a finding."""
    from monitor import app
    from monitor.engine.why import about

    settings = app.read_settings(config_file)
    policies = app.read_policies(settings)
    auditing = app.auditing(settings) if writes else None  # to look needs no key
    store = app.open_store(settings.store_url, auditing)
    fingerprint = full_fingerprint(store, finding)
    _, subject = about(store, fingerprint)
    (file,) = chosen(policies, [subject.model])
    return app.in_force(file, store).policy, store, fingerprint
