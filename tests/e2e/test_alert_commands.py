"""The real process and its alerts: listed, shown, muted, and as they were after a restart."""

import json
import signal
from datetime import timedelta

import pytest

from monitor.app import SystemClock
from tests.e2e.deployment import get, make_deployment, register, samples, wait_for

pytestmark = pytest.mark.slow


@pytest.fixture
def deployment(tmp_path):
    made = make_deployment(tmp_path)
    register(made)
    return made


def listed(deployment, *options):
    return json.loads(deployment.call("alerts", "list", "--output", "json", *options).stdout)


def drift_of(deployment):
    found = [item for item in listed(deployment) if item["measure"] == "psi"]
    (alert,) = [item for item in found if item["field"] == "amount"]
    return alert


def shown(address, finding):
    page = samples(get(f"{address}/metrics")[1])
    return {
        series.partition("{")[0]: value
        for series, value in page.items()
        if f'finding="{finding}"' in series and 'severity="warning"' not in series
    }


def test_before_anything_has_been_beyond_a_limit_there_is_no_alert(deployment):
    done = deployment.call("alerts", "list")
    assert (done.stdout, done.stderr) == ("", "no alert is open\n")


def test_an_alert_is_listed_shown_and_muted_and_a_restart_changes_nothing(deployment):
    with deployment.daemon() as (process, address, log):
        name = "modelmon_alert_started_timestamp_seconds"
        wait_for(lambda: name in get(f"{address}/metrics")[1], process, log)
        alert = drift_of(deployment)
        assert (alert["state"], alert["severity"]) == ("firing", "critical")
        assert alert["since"]["start"] == "2024-01-08T00:00:00+00:00"
        before = shown(address, alert["finding"])
        assert (before["modelmon_alarm_firing"], before["modelmon_alert_state"]) == (1, 2)

        told = deployment.call("alerts", "show", alert["finding"][:6]).stdout
        assert "What was known when" in told and "amount" in told
        why = ("--why", "a campaign", "--by", "ada")
        for until in ("2024-01-01", "2199-01-01"):
            refused = deployment.call("mute", alert["finding"], "--until", until, *why, check=False)
            assert refused.returncode == 2
            assert "is not within the next 90 days" in refused.stderr
        until = deployment.call("mute", alert["finding"], "--until", soon(), *why).stderr
        assert "is muted until" in until
        muted = "modelmon_alert_muted_until_timestamp_seconds"
        wait_for(lambda: muted in shown(address, alert["finding"]), process, log)
        after = shown(address, alert["finding"])
        assert {key: value for key, value in after.items() if key != muted} == before
        assert drift_of(deployment)["muted"]["by"] == "ada"
        assert {**drift_of(deployment), "muted": None} == alert
        process.send_signal(signal.SIGKILL)
        process.wait(120)

    with deployment.daemon() as (process, address, log):
        wait_for(lambda: get(f"{address}/-/ready")[0] == 200, process, log)
        assert shown(address, alert["finding"]) == after
        deployment.call("unmute", alert["finding"], "--why", "over")
        assert drift_of(deployment) == alert
        again = deployment.call("unmute", alert["finding"], "--why", "over", check=False)
        assert (again.returncode, "is not muted" in again.stderr) == (2, True)
        wait_for(lambda: shown(address, alert["finding"])[muted] < after[muted], process, log)


def soon():
    return f"{SystemClock().now() + timedelta(days=2):%Y-%m-%dT%H:%M}Z"
