"""The real process is given another configuration while it runs."""

import re
import signal
import sqlite3
from contextlib import closing
from http.client import HTTPConnection
from textwrap import indent
from urllib.parse import urlsplit

import pytest

from tests.e2e.deployment import get, is_stopped, make_deployment, register, samples, wait_for

pytestmark = pytest.mark.slow

SUCCESSFUL = "modelmon_config_last_reload_successful"
LOADED = "modelmon_config_last_reload_success_timestamp_seconds"
HASH = "modelmon_config_hash"


def scrape(address):
    return samples(get(f"{address}/metrics")[1])


def models(address):
    return {key for key in scrape(address) if key.startswith("modelmon_check_interval_seconds")}


def policies(deployment, model="credit"):
    """Return the policy of every run of a model, by the windows' order."""
    query = "select policy from modelmon_runs where model = ? order by window_start"
    with closing(sqlite3.connect(deployment.database)) as connection:
        return [policy for (policy,) in connection.execute(query, (model,))]


def write(deployment, model, old, new):
    path = deployment.folder / "models" / f"{model}.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def post(address, **headers):
    where = urlsplit(address)
    with closing(HTTPConnection(where.hostname, where.port, timeout=120)) as connection:
        connection.request("POST", "/-/reload", headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


def test_a_good_change_is_in_force_at_once_and_told_with_its_diff(tmp_path):
    deployment = make_deployment(tmp_path)
    register(deployment)
    with deployment.daemon() as (process, address, log):
        wait_for(lambda: len(policies(deployment)) == 4, process, log)
        before = scrape(address)
        write(deployment, "credit", "end: 2024-01-09", "end: 2024-01-10")
        text = (tmp_path / "models" / "credit.yaml").read_text()
        second = text.replace("model: credit", "model: fraud")
        (tmp_path / "models" / "fraud.yaml").write_text(second)
        process.send_signal(signal.SIGHUP)
        wait_for(lambda: scrape(address)[HASH] != before[HASH], process, log)
        after = scrape(address)
        assert after[SUCCESSFUL] == 1
        assert after[LOADED] > before[LOADED]
        assert after["modelmon_models"] == 2
        assert after['modelmon_check_errors_total{model="fraud"}'] == 0
        # A day that is not there is due now, and the new model is checked: it has no baseline.
        wait_for(lambda: len(policies(deployment)) == 5, process, log)
        assert len(set(policies(deployment))) == 2
        wait_for(lambda: "baseline register fraud" in log.read_text(), process, log)
        (tmp_path / "models" / "fraud.yaml").unlink()
        process.send_signal(signal.SIGHUP)
        wait_for(lambda: scrape(address)["modelmon_models"] == 1, process, log)
        # A check that was under way when its model went may still tell of itself for a moment.
        wait_for(lambda: not any("fraud" in key for key in scrape(address)), process, log)
        process.send_signal(signal.SIGTERM)
        assert process.wait(120) == 0
    told = log.read_text()
    assert "model credit changed, policy " in told
    assert "+  end: '2024-01-10T00:00:00Z'" in told
    assert "model fraud is new" in told
    assert "model fraud is no longer watched" in told


def test_a_bad_change_is_refused_by_line_and_the_old_one_keeps_running(tmp_path):
    deployment = make_deployment(tmp_path)
    deployment.config.write_text(deployment.config.read_text() + "web: {reload: true}\n")
    register(deployment)
    with deployment.daemon() as (process, address, log):
        wait_for(lambda: len(policies(deployment)) == 4, process, log)
        before = scrape(address)
        write(deployment, "credit", "  channel: categorical", "  channel: categorial")
        (tmp_path / "models" / "fraud.yaml").write_text("model: fraud\n")
        process.send_signal(signal.SIGHUP)
        wait_for(lambda: scrape(address)[SUCCESSFUL] == 0, process, log)
        status, body = post(address)
        assert status == 400
        assert f"{tmp_path}/models/credit.yaml:5:12: fields.channel" in body
        assert "fraud.yaml:1:1: source: " in body
        assert indent(body.partition("\n")[2], "    ") in log.read_text()
        after = scrape(address)
        assert (after[HASH], after[LOADED]) == (before[HASH], before[LOADED])
        assert after["modelmon_models"] == 1
        # The old policy goes on: what is due by it is run by it.
        day = (tmp_path / "log" / "2024-01-08.parquet").read_bytes()
        (tmp_path / "log" / "more-of-2024-01-08.parquet").write_bytes(day)
        wait_for(lambda: len(policies(deployment)) == 5, process, log)
        assert len(set(policies(deployment))) == 1
        # Mended, it is taken, and the series says so.
        write(deployment, "credit", "  channel: categorial", "  channel: categorical")
        (tmp_path / "models" / "fraud.yaml").unlink()
        assert post(address) == (200, "nothing changed\n")
        assert scrape(address)[SUCCESSFUL] == 1
    assert "Traceback" not in log.read_text()


def test_a_run_under_way_ends_under_its_policy_and_the_next_begins_under_the_new_one(tmp_path):
    deployment = make_deployment(tmp_path, days=14)
    register(deployment)
    flag, steps = tmp_path / "pause", tmp_path / "steps"
    wayward = {"PAUSE_BEFORE": "commit", "PAUSE_WHEN": str(flag), "STEPS": str(steps)}
    with deployment.daemon(program="tests.e2e.wayward", **wayward) as (process, address, log):
        wait_for(lambda: steps.exists() and "commit\n" in steps.read_text(), process, log)
        before = scrape(address)[HASH]
        write(deployment, "credit", "populations: [sex]", "owner: risk\npopulations: [sex]")
        process.send_signal(signal.SIGHUP)
        wait_for(lambda: scrape(address)[HASH] != before, process, log)
        assert policies(deployment) == []
        flag.touch()
        wait_for(lambda: is_stopped(process.pid), process, log)
        process.send_signal(signal.SIGCONT)
        wait_for(lambda: len(policies(deployment)) == 10, process, log)
        found = policies(deployment)
        assert len(set(found[1:])) == 1
        assert found[0] != found[1]
        assert not [
            value
            for key, value in scrape(address).items()
            if value and ("failures_total" in key or "errors_total" in key)
        ]


def test_over_http_it_is_off_until_it_is_enabled(tmp_path):
    deployment = make_deployment(tmp_path)
    register(deployment)
    with deployment.daemon() as (process, address, log):
        status, body = post(address)
        assert status == 403 and "SIGHUP" in body
        loaded = scrape(address)[LOADED]
        process.send_signal(signal.SIGHUP)
        wait_for(lambda: scrape(address)[LOADED] > loaded, process, log)


def test_a_setting_of_the_start_is_refused_whole_and_the_level_of_the_log_is_not(tmp_path):
    deployment = make_deployment(tmp_path)
    register(deployment)
    plain = deployment.config.read_text()
    with deployment.daemon() as (process, address, log):
        deployment.config.write_text(
            plain.replace("modelmon.db", "other.db") + "log: {level: debug}\n"
        )
        process.send_signal(signal.SIGHUP)
        wait_for(lambda: scrape(address)[SUCCESSFUL] == 0, process, log)
        assert "modelmon.yaml:2:14: store.url: takes effect at the start only" in log.read_text()
        deployment.config.write_text(plain.replace("1s", "7s") + "log: {level: warning}\n")
        process.send_signal(signal.SIGHUP)
        wait_for(lambda: scrape(address)[SUCCESSFUL] == 1, process, log)
        written = log.read_text()
        process.send_signal(signal.SIGTERM)
        assert process.wait(120) == 0
    assert "stopping" not in log.read_text().removeprefix(written)


def test_the_series_that_a_model_may_have_change_at_once(tmp_path):
    deployment = make_deployment(tmp_path)
    register(deployment)
    plain = deployment.config.read_text()
    dropped = 'modelmon_series_dropped{model="credit",reason="limit"}'
    runs = 'modelmon_check_runs_total{model="credit"}'
    with deployment.daemon() as (process, address, log):
        wait_for(lambda: scrape(address)[runs] == 4, process, log)
        whole = scrape(address)
        assert whole[dropped] == 0
        of_model = {
            key
            for key in whole
            if 'model="credit"' in key
            and not re.search("missed|overlapping|errors|late_files|closed_", key)
        }
        drifted = {key for key in of_model if 'feature="amount"' in key}
        common = {key for key in of_model if not re.search("[{,](feature|group|column)=", key)}
        most = len(common) + len(drifted)
        deployment.config.write_text(plain + f"metrics: {{max_series_per_model: {most}}}\n")
        process.send_signal(signal.SIGHUP)
        wait_for(lambda: scrape(address)[dropped] > 0, process, log)
        worst = scrape(address)
        # The field of which the last day has drifted is what stays.
        assert (common | drifted) <= worst.keys()
        assert worst[dropped] == len(of_model) - most
        assert not [key for key in worst if ",group=" in key or 'feature="channel"' in key]
        assert "raise metrics.max_series_per_model" in deployment.call("doctor").stdout
