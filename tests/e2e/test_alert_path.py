"""Who is told what, and when: the daemon, Prometheus and Alertmanager, all real.

Only waits and addresses are changed of the shipped rules and of the shipped example (see
``alerting``). What is seen here is the table in docs/how-to/run-it-under-prometheus.md.
"""

import json
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitor.app import SystemClock
from tests.e2e.alerting import Feed, watched
from tests.e2e.deployment import (
    get,
    make_deployment,
    register,
    samples,
    wait_for,
    write_day,
)

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
SETTLED = 4
"""Seconds after which what is on the page has been scraped, evaluated, sent and received."""


@pytest.fixture
def watch(tmp_path):
    """A model with three good windows, and everybody who watches it."""
    # As the waits of the rules are shortened, so is the time for which nobody leads after a kill.
    deployment = make_deployment(tmp_path, days=7, settings="lease: {ttl: 3s}\n")
    write_day(tmp_path / "log" / "2024-01-07.parquet", datetime(2024, 1, 7, tzinfo=UTC))
    model = tmp_path / "models" / "credit.yaml"
    model.write_text("owner: risk team\n" + model.read_text())
    register(deployment)
    with watched(deployment) as made:
        yield made


def metrics(watch):
    return samples(get(f"{watch.pages}/metrics")[1])


def checked(watch, process, log, day):
    """Wait until the result of a day is on the page."""
    name = 'modelmon_window_end_timestamp_seconds{model="credit"}'
    end = (day + timedelta(days=1)).timestamp()
    wait_for(lambda: metrics(watch).get(name) == end, process, log)


def series(watch, name, finding):
    return {
        key: value
        for key, value in metrics(watch).items()
        if key.startswith(f"{name}{{") and f'finding="{finding}"' in key
    }


def told(watch, name, status="firing", times=1):
    """Wait until an alert has been sent so many times; return the one that was sent last."""
    found = wait_for(
        lambda: len(all_told(watch, name, status)) >= times and all_told(watch, name, status)
    )
    assert len(found) == times
    return found[-1]


def all_told(watch, name, status):
    return watch.mailbox.told(name, status)


def counts(watch, *names):
    """Return how often each was sent as firing, and as resolved."""
    return {
        name: (len(all_told(watch, name, "firing")), len(all_told(watch, name, "resolved")))
        for name in names
    }


def begin(watch, feed, process, log):
    """Wait until all is well, and forget that the daemon was not up at first."""
    checked(watch, process, log, feed.next - timedelta(days=1))
    wait_for(lambda: watch.scraped, process, log)
    wait_for(lambda: len(set(counts(watch, "ModelMonDown")["ModelMonDown"])) == 1, process, log)
    assert {each.name for each in watch.mailbox.told()} <= {"ModelMonDown"}
    watch.mailbox.forget()


def test_an_alert_outlives_an_outage_and_silence_and_is_resolved_once(watch):
    feed = Feed(watch.deployment)
    with watch.daemon() as (process, _, log):
        begin(watch, feed, process, log)
        checked(watch, process, log, feed.day(process, shift=25.0))
        drift = told(watch, "ModelMonDrift")
        explains_itself(drift)
        before = known(watch, drift)
        process.send_signal(signal.SIGKILL)
        process.wait(120)
    during_the_outage(watch, drift, before)
    with watch.daemon() as (process, _, log):
        wait_for(lambda: get(f"{watch.pages}/-/ready")[0] == 200, process, log)
        told(watch, "ModelMonDown", "resolved")
        assert watch.hold(SETTLED, lambda: watch.active("ModelMonDrift")) == []
        assert known(watch, drift) == before
        while_nothing_is_known(watch, feed, process, log, drift)
        assert known(watch, drift) == before
        after_the_recovery(watch, feed, process, log)
    assert watch.unhealthy_rules() == []
    assert len(watch.firing("ModelMonWatchdog")) == 1


def known(watch, drift):
    """Return what must stay the same of an alert, in Alertmanager and on the page."""
    finding = drift.labels["finding"]
    since = series(watch, "modelmon_alert_started_timestamp_seconds", finding)
    assert len(since) == 1
    return watch.active("ModelMonDrift"), since


def explains_itself(drift):
    """What is sent says what, whose, where to look and what to do."""
    assert drift.receiver == "on-call"
    assert drift.labels["owner"] == "risk team"
    assert (drift.labels["check"], drift.labels["feature"]) == ("psi", "amount")
    finding = drift.labels["finding"]
    assert f"modelmon explain {finding}" in drift.annotations["description"]
    assert (ROOT / drift.annotations["runbook_url"]).is_file()
    status, page = get(drift.annotations["evidence_url"])
    assert status == 200
    assert finding in page
    assert "population stability index" in page.lower()


def during_the_outage(watch, drift, before):
    """The drift stays, and one more alert says why it is not renewed."""
    down = told(watch, "ModelMonDown")
    assert down.receiver == "on-call"
    assert "show what was last known" in down.annotations["description"]
    assert watch.hold(6, lambda: watch.active("ModelMonDrift")) == []
    assert watch.active("ModelMonDrift") == before[0]
    assert counts(watch, "ModelMonDrift", "ModelMonDown") == {
        "ModelMonDrift": (1, 0),
        "ModelMonDown": (1, 0),
    }
    # The link is dead meanwhile. What the text names instead is not.
    assert get(drift.annotations["evidence_url"])[0] == 0
    done = watch.deployment.call("explain", drift.labels["finding"])
    assert "amount" in done.stdout


def while_nothing_is_known(watch, feed, process, log, drift):
    """Neither a day without rows nor one with too few of them says anything of the drift."""
    finding = drift.labels["finding"]
    checked(watch, process, log, feed.day(process, rows=0))
    silence = told(watch, "ModelMonNoData")
    assert (silence.receiver, silence.labels["owner"]) == ("risk-team", "risk team")
    assert condition(watch, finding) == ["no_data"]
    assert "no data since 2024-01-08" in get(drift.annotations["evidence_url"])[1]
    checked(watch, process, log, feed.day(process, rows=20))
    told(watch, "ModelMonNoData", "resolved")
    assert condition(watch, finding) == ["unknown"]
    assert "unknown since 2024-01-08" in get(drift.annotations["evidence_url"])[1]
    assert watch.hold(SETTLED, lambda: counts(watch, "ModelMonDrift")) == []
    assert counts(watch, "ModelMonDrift") == {"ModelMonDrift": (1, 0)}


def condition(watch, finding):
    name = "modelmon_alert_condition"
    found = series(watch, name, finding)
    return [
        value
        for value in ("judged", "unknown", "no_data")
        for key, holds in found.items()
        if holds and f'condition="{value}"' in key
    ]


def after_the_recovery(watch, feed, process, log):
    """One good day resolves it once; few rows do not bring it back, nor does another good day."""
    checked(watch, process, log, feed.day(process))
    over = told(watch, "ModelMonDrift", "resolved")
    assert over.labels["feature"] == "amount"
    for rows, shift in ((20, 25.0), (600, 0.0)):
        checked(watch, process, log, feed.day(process, rows=rows, shift=shift))
        assert watch.hold(SETTLED, lambda: len(watch.mailbox.told())) == []
    assert counts(watch, "ModelMonDrift", "ModelMonDown", "ModelMonNoData") == {
        "ModelMonDrift": (1, 1),
        "ModelMonDown": (1, 1),
        "ModelMonNoData": (1, 1),
    }
    assert {each.name for each in watch.mailbox.told()} == {
        "ModelMonDrift",
        "ModelMonDown",
        "ModelMonNoData",
    }


def test_a_refused_configuration_and_a_muted_finding_are_seen(watch):
    feed = Feed(watch.deployment)
    with watch.daemon() as (process, _, log):
        begin(watch, feed, process, log)
        a_refused_configuration(watch, process)
        checked(watch, process, log, feed.day(process, shift=25.0))
        drift = told(watch, "ModelMonDrift")
        a_muted_finding(watch, feed, process, log, drift)
    assert watch.unhealthy_rules() == []


def a_refused_configuration(watch, process):
    """The team is told, and the configuration before is in force."""
    model = watch.deployment.folder / "models" / "credit.yaml"
    good, before = model.read_text(), metrics(watch)["modelmon_config_hash"]
    model.write_text(good.replace("channel: categorical", "channel: categorial"))
    process.send_signal(signal.SIGHUP)
    refused = told(watch, "ModelMonConfigReloadFailed")
    assert refused.receiver == "monitoring-team"
    assert "modelmon config check" in refused.annotations["description"]
    asked = watch.deployment.call("config", "check", check=False)
    assert asked.returncode == 3
    assert "credit.yaml:6:12: fields.channel" in asked.stderr
    page = metrics(watch)
    assert (page["modelmon_config_hash"], page["modelmon_models"]) == (before, 1)
    model.write_text(good)
    process.send_signal(signal.SIGHUP)
    told(watch, "ModelMonConfigReloadFailed", "resolved")
    assert metrics(watch)["modelmon_config_hash"] == before


def a_muted_finding(watch, feed, process, log, drift):
    """Nobody is called for it, and everybody who looks sees it, and that it is muted."""
    finding = drift.labels["finding"]
    why = ("--why", "a campaign", "--by", "ada")
    until = SystemClock().now() + timedelta(days=2)
    watch.deployment.call("mute", finding, "--until", f"{until:%Y-%m-%dT%H:%M}Z", *why)
    told(watch, "ModelMonDrift", "resolved")  # Prometheus has no other word for it
    checked(watch, process, log, feed.day(process, shift=25.0))
    assert watch.hold(SETTLED, lambda: counts(watch, "ModelMonDrift")) == []
    assert counts(watch, "ModelMonDrift") == {"ModelMonDrift": (1, 1)}
    assert 1 in series(watch, "modelmon_alarm_firing", finding).values()
    listed = json.loads(watch.deployment.call("alerts", "list", "--output", "json").stdout)
    (alert,) = [each for each in listed if each["finding"] == finding]
    assert (alert["state"], alert["muted"]["by"]) == ("firing", "ada")
    for address in (f"{watch.pages}/models/credit", drift.annotations["evidence_url"]):
        page = get(address)[1]
        assert "firing, critical" in page
        assert f"until {until:%Y-%m-%d %H:%M}Z, ada: a campaign" in page
    watch.deployment.call("unmute", finding, "--why", "the campaign is over")
    again = told(watch, "ModelMonDrift", times=2)
    assert again.labels == drift.labels
