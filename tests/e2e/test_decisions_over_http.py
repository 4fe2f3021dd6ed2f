"""The real daemon on a real socket: who is believed, what is decided, and what pages show of it."""

import json
from datetime import timedelta
from http.client import HTTPConnection

import pytest

from monitor.app import SystemClock
from tests.e2e.deployment import get, make_deployment, register, samples, wait_for

pytestmark = pytest.mark.slow

SECRET = "0123456789abcdef" * 4
ACCESS = """\
access:
  tokens: true
  header: {secret: "${file:SECRET}", trusted_proxies: [10.0.0.3]}
"""
HOSTILE = "<script>alert('1')</script><img src=x onerror=alert(2)>"


def sent(address, path, body=None, **headers):
    connection = HTTPConnection(address.removeprefix("http://"), timeout=120)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if body is not None:
        named["Content-Type"] = "application/json"
    connection.request(
        "GET" if body is None else "POST", path, None if body is None else json.dumps(body), named
    )
    answer = connection.getresponse()
    found = answer.status, json.loads(answer.read())
    connection.close()
    return found


def test_a_finding_is_muted_over_http_by_who_may_until_their_token_is_revoked(tmp_path):
    (tmp_path / "secret").write_text(SECRET)
    access = ACCESS.replace("SECRET", str(tmp_path / "secret"))
    deployment = make_deployment(tmp_path, settings=access)
    register(deployment)
    made = deployment.call(
        *("token", "create", "pager", "--for", "olga", "--role", "operator", "--expires", "1d")
    )
    bearer = {"Authorization": f"Bearer {made.stdout.strip()}"}
    with deployment.daemon() as (process, address, log):
        page = f"{address}/metrics"
        wait_for(lambda: "modelmon_alert_started" in get(page)[1], process, log)
        alerts = deployment.call("alerts", "list", "--output", "json").stdout
        finding = next(item["finding"] for item in json.loads(alerts) if item["measure"] == "psi")
        mute = f"/v1/models/credit/findings/{finding}/mute"
        until = (SystemClock().now() + timedelta(days=2)).isoformat()
        wanted = {"until": until, "why": HOSTILE}

        # A server that believed X-Forwarded-For of this machine would take anybody for the proxy.
        spoofed = {"X_Forwarded_User": "olga", "X_Modelmon_Proxy_Secret": SECRET}
        assert sent(address, mute, wanted, **spoofed, X_Forwarded_For="10.0.0.3")[0] == 401
        assert sent(address, mute, wanted)[0] == 401
        assert sent(address, mute, wanted, **bearer, Origin="https://evil.example")[0] == 403

        status, answer = sent(address, mute, wanted, **bearer)
        assert (status, answer["by"], answer["why"]) == (200, "olga", HOSTILE)
        shown = wait_for(
            lambda: (found := get(f"{address}/models/credit")[1]) and "olga" in found and found
        )
        assert "<script" not in shown and "<img" not in shown
        assert "&lt;script&gt;" in shown

        deployment.call("token", "revoke", made.stdout.split("_")[1])
        assert sent(address, "/v1/me", **bearer)[0] == 401
        told = samples(get(page)[1])
        counted = {
            status: told[f'modelmon_api_answers_total{{status="{status}"}}']
            for status in (200, 401, 403)
        }
        assert counted == {200: 1, 401: 3, 403: 1}
    assert SECRET not in log.read_text()
    assert "Traceback" not in log.read_text()
