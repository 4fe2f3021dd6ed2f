"""The way of an alert for real: Prometheus, Alertmanager, and somebody who is called."""

import json
import re
import signal
import subprocess
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread

from monitor.exposition.rule import PAGES
from tests.e2e.deployment import Deployment, get, wait_for, write_day
from tests.e2e.promtool import RULES
from tests.ports import free_port

ALERTMANAGER = RULES.parents[1] / "alertmanager" / "alertmanager.yml"

RECEIVERS = "http://127.0.0.1:5001"
"""Where the shipped example sends to."""

WAITS = (
    (
        r"(- alert: (?!ModelMonNoLeader\b)\w+\n(?:(?! *- ).*\n)*? +for: )\d+m$",
        r"\g<1>2s",
    ),
)
"""All that is changed of the shipped rules, besides the address of the pages.

Nobody leads for some seconds after a kill, and for more on a slow machine: that wait stays.
"""

GROUPING = (
    (r"group_wait: \S+", "group_wait: 0s"),
    (r"group_interval: \S+", "group_interval: 1s"),
    (r"repeat_interval: 5m", "repeat_interval: 1d"),
)
"""All that is changed of the shipped example for Alertmanager, besides the address of receivers."""

SCRAPING = """\
global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}
rule_files: [modelmon.rules.yml]
alerting:
  alertmanagers: [{{static_configs: [{{targets: ["127.0.0.1:{alertmanager}"]}}]}}]
scrape_configs:
  - job_name: modelmon
    static_configs: [{{targets: ["127.0.0.1:{daemon}"]}}]
"""


@dataclass(frozen=True)
class Told:
    """One alert in one message."""

    receiver: str
    status: str
    labels: dict
    annotations: dict
    started: str

    @property
    def name(self):
        return self.labels["alertname"]


@dataclass
class Mailbox:
    """Everything that Alertmanager has sent, in order."""

    address: str = ""
    messages: list = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)

    def forget(self):
        with self.lock:
            self.messages.clear()

    def told(self, name="", status=""):
        """Return the alerts that were sent, of a name and a status."""
        with self.lock:
            messages = list(self.messages)
        found = [
            Told(
                message["receiver"],
                alert["status"],
                alert["labels"],
                alert["annotations"],
                alert["startsAt"],
            )
            for message in messages
            for alert in message["alerts"]
        ]
        return [
            each
            for each in found
            if each.name != "ModelMonWatchdog" or name == "ModelMonWatchdog"
            if name in {"", each.name} and status in {"", each.status}
        ]


@contextmanager
def receiver():
    """Run what the receivers of the shipped example send to."""
    mailbox = Mailbox()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with mailbox.lock:
                mailbox.messages.append(message)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass  # what came is in the mailbox

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        mailbox.address = f"http://127.0.0.1:{server.server_port}"
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield mailbox
        finally:
            server.shutdown()
            thread.join()


def changed(path: Path, changes, old: str, new: str) -> str:
    """Return a shipped file with these changes; each must find something to change."""
    text = path.read_text()
    for pattern, replacement in changes:
        text, times = re.subn(pattern, replacement, text, flags=re.MULTILINE)
        assert times, pattern
    assert old in text
    return text.replace(old, new)


@contextmanager
def program(folder, *command, port):
    """Run a server until the end; yield its address once it is ready."""
    log = folder / f"{command[0]}.log"
    with log.open("w") as stream:
        process = subprocess.Popen(
            [*command, f"--web.listen-address=127.0.0.1:{port}"],
            stdout=stream,
            stderr=subprocess.STDOUT,
        )
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(lambda: get(f"{address}/-/ready")[0] == 200, process, log)
        yield address
    finally:
        process.kill()
        process.wait(120)


@dataclass
class Watch:
    """A deployment, and everybody who watches it."""

    deployment: Deployment
    port: int
    mailbox: Mailbox
    prometheus: str
    alertmanager: str

    def daemon(self):
        return self.deployment.daemon("--port", str(self.port))

    @property
    def pages(self):
        return f"http://127.0.0.1:{self.port}"

    def firing(self, name):
        """Return the alerts of a name that fire in Prometheus."""
        found = json.loads(get(f"{self.prometheus}/api/v1/alerts")[1])["data"]["alerts"]
        return [
            each
            for each in found
            if each["labels"]["alertname"] == name and each["state"] == "firing"
        ]

    @property
    def scraped(self):
        """Return whether the last scrape of the daemon succeeded."""
        asked = f"{self.prometheus}/api/v1/query?query=up%7Bjob%3D%22modelmon%22%7D%3D%3D1"
        return bool(json.loads(get(asked)[1])["data"]["result"])

    def active(self, name):
        """Return the fingerprints in Alertmanager of alerts of a name, with their start times."""
        found = json.loads(get(f"{self.alertmanager}/api/v2/alerts")[1])
        return sorted(
            (each["fingerprint"], each["startsAt"])
            for each in found
            if each["labels"]["alertname"] == name
        )

    def unhealthy_rules(self):
        groups = json.loads(get(f"{self.prometheus}/api/v1/rules")[1])["data"]["groups"]
        return [rule for group in groups for rule in group["rules"] if rule["health"] == "err"]

    def hold(self, seconds, ask):
        """Ask again and again for a time; return every other answer than the first, and when."""
        begun = time.monotonic()
        first, others = ask(), []
        while time.monotonic() < begun + seconds:
            time.sleep(0.25)
            answer = ask()
            if answer != first:
                others.append((round(time.monotonic() - begun, 1), answer))
        return others


@contextmanager
def watched(deployment):
    """Run Prometheus with the shipped rules and Alertmanager with the shipped example."""
    folder, port, alerts = deployment.folder, free_port(), free_port()
    with ExitStack() as stack:
        mailbox = stack.enter_context(receiver())
        routes = folder / "alertmanager.yml"
        routes.write_text(changed(ALERTMANAGER, GROUPING, RECEIVERS, mailbox.address))
        rules = changed(RULES, WAITS, PAGES, f"http://127.0.0.1:{port}")
        (folder / "modelmon.rules.yml").write_text(rules)
        scraping = folder / "prometheus.yml"
        scraping.write_text(SCRAPING.format(alertmanager=alerts, daemon=port))
        alertmanager = program(
            folder,
            "prometheus-alertmanager",
            *(f"--config.file={routes}", f"--storage.path={folder / 'alertmanager'}"),
            "--cluster.listen-address=",
            port=alerts,
        )
        prometheus = program(
            folder,
            "prometheus",
            *(f"--config.file={scraping}", f"--storage.tsdb.path={folder / 'tsdb'}"),
            "--rules.alert.resend-delay=5s",  # it finds Alertmanager some seconds after its start
            port=free_port(),
        )
        manager = stack.enter_context(alertmanager)
        yield Watch(deployment, port, mailbox, stack.enter_context(prometheus), manager)


@dataclass
class Feed:
    """What writes the log of a deployment, and the days that are asked for."""

    deployment: Deployment
    next: datetime = datetime(2024, 1, 8, tzinfo=UTC)

    def day(self, process, *, rows=600, shift=0.0):
        """Let a day go by, without rows perhaps, that the daemon checks as soon as it can."""
        day, self.next = self.next, self.next + timedelta(days=1)
        if rows:
            path = self.deployment.folder / "log" / f"{day:%Y-%m-%d}.parquet"
            write_day(path, day, rows=rows, shift=shift)
        model = self.deployment.folder / "models" / "credit.yaml"
        text = re.sub(r"end: \S+}", f"end: {self.next:%Y-%m-%d}}}", model.read_text())
        model.write_text(text)
        process.send_signal(signal.SIGHUP)
        return day
