"""`make governance-demo`: what governance does, shown once from the first approval to the audit.

The card model of the demo is approved, breaks a limit in September, and loses its authority with
nobody doing anything. Around that fifteen things are tried that a sceptic would try. All of it is
done with public commands, HTTP and the Python client, beside a real daemon, a real MLflow server
and a real Prometheus. The card model's risk is high, so that people decide on it by logging in; of
the model beside, whose risk is low, they do at the terminal. Each line at the end says what was
done and what was seen:

    ✓ it was seen   ✗ it was not: the exit code is 1   – not shown here, and why

    python -m tests.governance_demo [--without-mlflow] [--patient]
"""

import argparse
import json
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from http.client import HTTPConnection
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from monitor.app import SystemClock
from monitor.gate import Freshness, Gate
from monitor.governance.note import verifying_key_of
from tests import governance_log, postgres_server
from tests.e2e.alerting import PAGES, RULES, WAITS, changed, free_port, program
from tests.e2e.deployment import Deployment, get, samples, wait_for
from tests.governance_log import copy_store
from tests.issuer import KEYS, signed
from tests.mlflow_server import MlflowServer
from tests.tlog_witness import TlogWitness

ROOT = Path(__file__).parents[1]
CARD, SERVING, DRAFT = "card-late-payment", "card-serving", "card-draft"
CLOCK = SystemClock()
TTL, GRACE = 2, 3  # seconds: `gate.ttl` and `gate.stale_grace` here
LIVE = 4  # seconds of the windows in which the serving layer is watched as it decides
WAIT = 120  # seconds after which what does not come will not come
WIDTH = 112  # characters of a line of the story

SETTINGS = """\
models: models
store: {url: "sqlite:///var/modelmon.db"}
check_every: 1s
web: {reload: true}
access: {tokens: true, oidc: {issuer: "https://login.example", audience: modelmon, keys: keys.json}}
audit: {key: audit.key, witness: apart/checkpoints.jsonl, witnesses: [%s]}
gate: {key: gate.key}
"""

GOVERNED = """
delegation: {statement: Flag card customers., by: mei.lin, date: 2005-05-30, autonomy: act_with_limits}
accountability:
  accountable: hao.chen
  owners: [ting.wu]
  operators: [kai.sun]
  validators: [yu.fang]
  governance: [rong.tsai]
risk:
  tier: low
  rationale: A copy that only shows a score.
  limits: [{id: input-not-understood, measures: [missing_rate], consequence: hold}]
approvals:
  loosen_policy: {required: {governance: 1, accountable: 1}, exclude: [requester]}
gate: {ttl: 1s, stale_grace: 1s, on_unreachable: open}
rests_on: {model: "../weights-{version}.bin", report: "../validation-{version}.txt"}
"""

SCRAPING = """\
global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}
rule_files: [modelmon.rules.yml]
scrape_configs:
  - {{job_name: modelmon, static_configs: [{{targets: ["127.0.0.1:{port}"]}}]}}
"""


class NotShownError(Exception):
    """What cannot be shown here, and why."""


def say(text: str, head: str = "") -> None:
    """Tell the reader, at once, in lines of which none is too long."""
    lines = textwrap.wrap(
        text,
        WIDTH,
        initial_indent=head,
        subsequent_indent=" " * len(head),
        break_long_words=False,
        break_on_hyphens=False,
    )
    sys.stdout.write("\n".join(lines or [""]) + "\n")
    sys.stdout.flush()


class Story:
    """A deployment in a folder, what was seen in it, and the words in which it is told."""

    def __init__(
        self, folder: Path, mlflow: MlflowServer | None, witness: TlogWitness, *, patient: bool
    ) -> None:
        self.made = Deployment(folder)
        self.folder, self.mlflow, self.patient = folder, mlflow, patient
        self.witness, self.receipt = witness, {}
        self.port, self.prometheus = free_port(), ""
        self.told: dict[int, list[tuple[str, str]]] = {}
        self.process, self.address, self.log = None, "", None
        self.key, self.serving, self.auditor = "", "", ""

    def check(self, number: int, did: str, shown: Callable[[], str]) -> None:
        """Do one thing, and keep what was seen."""
        try:
            mark, saw = "✓", shown()
        except NotShownError as why:
            mark, saw = "–", f"not shown: {why}"
        except Exception as error:  # noqa: BLE001  # whatever goes wrong is a line of its own
            mark, saw = "✗", f"{type(error).__name__}: {error}"
        self.told.setdefault(number, []).append((mark, f"{did}: {saw}"))
        say(did, f"  {mark} ({number}) ")
        say(saw, "        ")

    def call(self, *arguments: str) -> str:
        """Run a command that must succeed, and return what it printed."""
        done = self.made.call(*arguments, check=False)
        assert done.returncode == 0, f"modelmon {' '.join(arguments)}: {done.stderr}{done.stdout}"
        return done.stdout or done.stderr

    def refused(self, *arguments: str, because: str) -> str:
        """Run a command that must be refused, and return the line that says why."""
        done = self.made.call(*arguments, check=False)
        assert done.returncode != 0, f"modelmon {' '.join(arguments)} was not refused"
        found = [line.strip() for line in done.stderr.splitlines() if because in line]
        assert found, f"{because!r} is not in {done.stderr!r}"
        return found[0]

    def ask(self, person: str, path: str, **body: object) -> tuple[int, dict]:
        """Have a person log in and ask the daemon for something about the card model."""
        bearer = {"Authorization": f"Bearer {signed(account=person, now=CLOCK.now())}"}
        headers = {"Content-Type": "application/json", **bearer}
        connection = HTTPConnection(self.address.removeprefix("http://"), timeout=WAIT)
        connection.request("POST", f"/v1/models/{CARD}/{path}", json.dumps(body), headers)
        answer = connection.getresponse()
        found = answer.status, json.loads(answer.read())
        connection.close()
        return found

    def does(self, person: str, path: str, **body: object) -> dict:
        """Have a person do what they may."""
        status, told = self.ask(person, path, **body)
        assert status == 200, f"{person}, {path}: {status} {told}"
        self.receipt = told["receipts"][-1]
        return told

    def may_not(self, person: str, path: str, because: str, **body: object) -> str:
        """Have a person try what they may not, and return why not."""
        status, told = self.ask(person, path, **body)
        reasons = "; ".join(told.get("reasons", ()))
        assert status == 403, f"{person}, {path}: {status} {told}"
        assert because in reasons, reasons
        return f"403, {reasons}"

    def firing(self, model: str = CARD) -> set[str]:
        """Return the alerts about a model that fire in Prometheus."""
        found = json.loads(get(f"{self.prometheus}/api/v1/alerts")[1])["data"]["alerts"]
        return {
            each["labels"]["alertname"]
            for each in found
            if each["state"] == "firing" and each["labels"].get("model") == model
        }

    def rows(self, *arguments: str) -> list[dict]:
        """Return what a command prints as JSON."""
        return json.loads(self.made.call(*arguments, "--output", "json").stdout)

    def standing(self, model: str = CARD) -> dict:
        """Return where version 1 of a model stands."""
        return next(
            each
            for each in self.rows("standing")
            if (each["model"], each["version"]) == (model, "1")
        )

    def records(self, kind: str) -> list[dict]:
        """Return the audit log's records of a kind."""
        lines = self.made.call("audit", "export").stdout.splitlines()
        bodies = (json.loads(line).get("record") for line in lines)
        return [each for body in bodies if body and (each := json.loads(body))["type"] == kind]

    def read(self, path: str, token: str) -> dict:
        """Return what the daemon answers to a program that has a token."""
        connection = HTTPConnection(self.address.removeprefix("http://"), timeout=WAIT)
        connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        told = answer.read()
        connection.close()
        assert answer.status == 200, told
        return json.loads(told)

    def permit(self, version: str = "1", model: str = CARD) -> dict:
        """Return what the gate says of a version."""
        return self.read(f"/v1/gate/{model}/{version}", self.serving)["says"]

    def client(self, model: str = CARD) -> Gate:
        """Return a client of the gate, as a serving layer has one."""
        return Gate(self.address, model, "1", token=self.serving)

    def audited(self) -> governance_log.Auditing:
        """Return what an auditor is given."""
        kept, secret = self.folder / "apart" / "checkpoints.jsonl", self.folder / "audit.key"
        return governance_log.Auditing(
            self.made, self.key, secret, kept, self.witness, self.receipt
        )

    @contextmanager
    def daemon(self):
        """Run the daemon."""
        with self.made.daemon("--port", str(self.port)) as (process, address, log):
            self.process, self.address, self.log = process, address, log
            wait_for(lambda: get(f"{address}/-/ready")[0] == 200, process, log, WAIT)
            yield process

    @contextmanager
    def watched(self):
        """Run Prometheus with the rules that are shipped; they wait for seconds, not minutes."""
        pages = f"http://127.0.0.1:{self.port}"
        (self.folder / "modelmon.rules.yml").write_text(changed(RULES, WAITS, PAGES, pages))
        scraping = self.folder / "prometheus.yml"
        scraping.write_text(SCRAPING.format(port=self.port))
        data = f"--storage.tsdb.path={self.folder / 'tsdb'}"
        command = ("prometheus", f"--config.file={scraping}", data)
        with program(self.folder, *command, port=free_port()) as address:
            self.prometheus = address
            yield


def write_decisions(folder: Path, name: str, start: datetime, seconds: float) -> int:
    """Write decisions of April, as if they had been made within some seconds; return how many."""
    (found,) = (ROOT / "demo/taiwan_credit/log/month=2005-04").glob("*.parquet")
    table = pq.ParquetFile(found).read().slice(0, 600)
    step = timedelta(seconds=seconds) / len(table)
    times = pa.array(
        [start + step * place for place in range(len(table))], pa.timestamp("us", "UTC")
    )
    table = table.set_column(table.schema.get_field_index("event_time"), "event_time", times)
    names = pa.array([f"{name}-{place}" for place in range(len(table))])
    table = table.set_column(table.schema.get_field_index("prediction_id"), "prediction_id", names)
    (folder / "serving").mkdir(exist_ok=True)
    pq.write_table(table, folder / "serving" / f"{name}.parquet")
    return len(table)


def arrive(folder: Path, *months: str) -> None:
    """Have the serving layer write what was decided in some months."""
    for month in months:
        shutil.copytree(
            ROOT / f"demo/taiwan_credit/log/month={month}", folder / f"log/month={month}"
        )


def begin_october(folder: Path) -> None:
    """Have the serving layer make the first decision of October: September is over."""
    (last,) = (folder / "log/month=2005-09").glob("*.parquet")
    table = pq.ParquetFile(last).read().slice(0, 1)
    for name, value in (
        ("event_time", datetime(2005, 10, 1, tzinfo=UTC)),
        ("prediction_id", "first-of-october"),
    ):
        column = pa.array([value], table.schema.field(name).type)
        table = table.set_column(table.schema.get_field_index(name), name, column)
    (folder / "log/month=2005-10").mkdir()
    pq.write_table(table, folder / "log/month=2005-10/part-0.parquet")


def run_serving(story: Story, place: int) -> None:
    """Run a window of the model beside: a policy comes into force with a run under it."""
    first = datetime(2005, 4, 1, tzinfo=UTC) + timedelta(seconds=place * LIVE)
    ends = (first, first + timedelta(seconds=LIVE))
    start, end = (f"{each:%Y-%m-%dT%H:%M:%SZ}" for each in ends)
    story.call("run", "--model", SERVING, "--from", start, "--to", end)


def lay_out(story: Story) -> None:
    """Write the configuration: the card model as it is shipped, and two models beside it."""
    folder = story.folder
    (folder / "models").mkdir()
    (folder / "keys.json").write_bytes(KEYS)
    (folder / "weights-1.bin").write_bytes(b"weights as validated")
    (folder / "validation-1.txt").write_text("Validated in May.\n")
    (folder / "apart").mkdir()
    (folder / "demo").symlink_to(ROOT / "demo")
    arrive(folder, "2005-04", "2005-05", "2005-06")
    settings = SETTINGS % f"{{url: {story.witness.url}, key: {story.witness.key}}}"
    if story.mlflow:
        settings += f'registry: {{url: "{story.mlflow.url}", poll_every: 2s}}\n'
    text = (ROOT / "config" / "models" / f"{CARD}.yaml").read_text()
    for shipped, here in (
        ("../../demo/taiwan_credit/log", "../log"),
        ("../../demo", "../demo"),
        ("end: 2005-10-01", "end: 2005-10-01\n  patience: 9000d"),  # each month waits for the next
        ("stale_grace: 5m", f"stale_grace: {GRACE}s"),
        ("ttl: 60s", f"ttl: {TTL}s"),
        ("accounts: {", "accounts: {yu.fang.admin: yu.fang, "),
    ):
        assert shipped in text
        text = text.replace(shipped, here)
    text += 'rests_on: {report: "../report-{version}.html"}\n'
    (folder / "models" / f"{CARD}.yaml").write_text(text)
    watched, _, _ = text.partition("# What was delegated")
    watched = watched.replace(f"model: {CARD}", "model: {model}")
    draft = watched.replace("{model}", DRAFT).replace("end: 2005-10-01", "end: 2005-06-01")
    draft += "delegation: {statement: Flag card customers., by: mei.lin}\n"
    (folder / "models" / f"{DRAFT}.yaml").write_text(draft)
    write_decisions(folder, "trained", datetime(2005, 4, 1, tzinfo=UTC), 60)
    today = CLOCK.now()
    serving = watched.replace("{model}", SERVING)
    serving = re.sub(r"\n  labels:\n(    .*\n)+", "\n", serving)
    serving = re.sub(r"\nlabel:\n(  .*\n)+", "\n", serving)
    serving = serving.replace("path: ../log", "path: ../serving")
    serving = serving.replace("window: month", f"window: {LIVE}s")
    serving = serving.replace(
        "end: 2005-10-01", f"start: {today + timedelta(days=2):%Y-%m-%d}"
    )  # nothing is due
    (folder / "models" / f"{SERVING}.yaml").write_text(serving + GOVERNED)
    story.made.config.write_text(settings.replace("audit:", "#audit:").replace("gate:", "#gate:"))
    story.call("db", "upgrade")
    shown = story.call("audit", "init", "--key", str(folder / "audit.key"), "--origin", "demo/log")
    story.key = shown.split()[0]
    story.witness.trust(verifying_key_of(story.key))
    story.call("gate", "init", "--key", str(folder / "gate.key"))
    story.made.config.write_text(settings)
    why = ("--why", "as trained", "--by", "ting.wu")
    story.serving, story.auditor = (
        story.call(
            "token", "create", "demo", "--for", who, "--role", role, "--expires", "1d"
        ).split()[-1]
        for who, role in (("serving", "gate"), ("auditor", "auditor"))
    )
    register = ("baseline", "register")
    story.call(*register, CARD, "--from", "2005-04-01", "--to", "2005-06-01", *why)
    minute = ("--from", "2005-04-01T00:00Z", "--to", "2005-04-01T00:01Z")
    story.call(*register, SERVING, *minute, *why)
    story.call("run", "--from", "2005-06-01", "--to", "2005-07-01", "--model", CARD)
    run_serving(story, 0)
    period = ("--from", "2005-06-01", "--to", "2005-07-01")
    story.call("report", "bias", "--model", CARD, *period, "-o", str(folder / "report-1.html"))


def agree(story: Story, model: str, number: int, *people: str) -> None:
    """Have people say yes to a request: by logging in, where the model's risk is high."""
    for person in people:
        if model == CARD:
            story.does(person, f"requests/{number}/approve", why="read")
        else:
            story.call("approve", model, str(number), "--why", "read", "--by", person)


def newest(story: Story, model: str) -> int:
    """Return the number of the newest request about a model."""
    return max(each["number"] for each in story.rows("requests", "list") if each["model"] == model)


def approve_serving(story: Story) -> None:
    """Have the model beside approved."""
    story.call("submit", SERVING, "1", "--why", "validated", "--by", "ting.wu")
    agree(story, SERVING, newest(story, SERVING), "yu.fang", "hao.chen")


def approve_with_refusals(story: Story) -> str:
    """Ask that the version may act, and have those say yes who may not (check 4)."""
    story.does("ting.wu", "versions/1/submit", why="validated")
    number = newest(story, CARD)
    vote = f"requests/{number}/approve"
    for who, person in (("who asked: ", "ting.wu"), ("who built: ", "dan.huang")):
        told = story.may_not(person, vote, person, why="fine")
        say(told, f"        {who}  ")
    told = story.refused("approve", CARD, str(number), "--by", "yu.fang", because="login")
    say(told, "        no login:    ")
    agree(story, CARD, number, "yu.fang")
    again = story.may_not("yu.fang.admin", vote, "yu.fang has spoken already", why="fine")
    say(again, "        two accounts: ")
    told = story.call("requests", "show", CARD, str(number), "--output", "json")
    assert len(json.loads(told)["votes"]) == 1, told
    denied = story.records("access.denied")
    assert len(denied) >= 4, denied
    return f"each refused; {len(denied)} records access.denied in the audit log; one vote counted"


def waive(story: Story) -> datetime:
    """Waive the limit that June broke, for some seconds."""
    until = (CLOCK.now() + timedelta(seconds=90 if story.patient else 25)).replace(microsecond=0)
    story.does(
        "ting.wu",
        "waivers",
        limit="groups-apart",
        ends=f"{until:%Y-%m-%dT%H:%M:%SZ}",
        why="known since approval",
        control="each flag is looked at",
    )
    agree(story, CARD, newest(story, CARD), "rong.tsai")
    return until


def waiver_ends(story: Story, until: datetime) -> str:
    """Wait for the end of the waiver (check 6)."""
    before = story.standing()["state"]
    alerts = [each for each in story.rows("alerts", "list") if each["model"] == CARD]
    firing = [each for each in alerts if each["state"] == "firing"]
    assert before == "approved", before
    assert firing, "the alert is hidden by the waiver"
    now = CLOCK.now()
    assert now < until, "the waiver was over before it was looked at"
    watched = f'modelmon_version_state{{model="{CARD}",model_version="1",state="watch"}}'
    page = f"{story.address}/metrics"
    wait_for(lambda: samples(get(page)[1]).get(watched) == 1, seconds=90 + WAIT)
    after = story.standing()
    assert (after["state"], after["by"]) == ("watch", "daemon"), after
    return (
        f"while it held: approved, {len(firing)} alerts firing all the same; "
        f"after {until:%H:%M:%S}Z: {after['state']} by {after['by']}, {after['reason']}"
    )


def ungoverned(story: Story) -> str:
    """Ask for a permit of a model whose policy leaves answers out (check 13)."""
    said = story.permit(model=DRAFT)
    assert said["action"] == "deny", said
    told = " ".join(said["reasons"])
    for answer in ("accountability.accountable", "risk.tier", "risk.limits"):
        assert answer in told, said
    return f"{said['action']}; {told}"


def killed(story: Story, process) -> tuple[str, str]:
    """Kill the daemon, and watch clients of a closed and of an open policy (check 2)."""
    clients = {model: story.client(model) for model in (CARD, SERVING)}
    for client in clients.values():
        wait_for(lambda c=client: c.decide().freshness is Freshness.FRESH, seconds=WAIT)
    process.kill()
    process.wait(WAIT)
    began, seen = time.monotonic(), {model: [] for model in clients}
    while time.monotonic() - began < TTL + GRACE + 1:
        for model, client in clients.items():
            decision = client.decide()
            now = f"{decision.freshness.value}, {'acts' if decision.allowed else 'does not act'}"
            if not seen[model] or seen[model][-1][1] != now:
                seen[model].append((time.monotonic() - began, now))
        time.sleep(0.05)
    for client in clients.values():
        client.close()
    assert seen[CARD][-1][1] == "expired, does not act", seen
    assert seen[SERVING][-1][1].endswith(", acts"), seen
    told = {
        model: "; ".join(f"{after:.1f} s: {now}" for after, now in found)
        for model, found in seen.items()
    }
    return told[CARD], told[SERVING]


def moved_outside(story: Story) -> str:
    """Move the alias past the workflow, and lie in a tag (check 3)."""
    server = story.mlflow
    if server is None:
        raise NotShownError("without MLflow; tests/e2e/test_mlflow.py shows it with a real server")
    wait_for(lambda: server.tags(CARD, "1").get("monitor.state") in {"approved", "watch"})
    alias = {"name": CARD, "alias": "champion", "version": "2"}
    server.ask("POST", "registered-models/alias", **alias)
    tag = {"name": CARD, "version": "2", "key": "monitor.state", "value": "approved"}
    server.ask("POST", "model-versions/set-tag", **tag)
    began = CLOCK.now()
    denied = [story.permit("2")["action"]]
    page = f"{story.address}/metrics"
    outside = f'modelmon_registry_alias_outside{{model="{CARD}"}}'
    wait_for(lambda: samples(get(page)[1]).get(outside) == 1, seconds=WAIT)
    denied.append(story.permit("2")["action"])
    assert denied == ["deny", "deny"], denied
    record = story.records("registry.alias_moved_outside_workflow")[-1]
    noticed = (datetime.fromisoformat(record["ts"]) - began).total_seconds()
    held = wait_for(lambda: (at := story.standing())["state"] == "held" and at, seconds=WAIT)
    tampered = [each["seq"] for each in story.records("registry.tag_tampered")]
    assert tampered, "nobody noticed the tag"
    told = json.dumps(record["data"], sort_keys=True)
    return (
        f"noticed after {noticed:.1f} s (polled every 2 s); record {record['seq']} {told}; "
        f"version 1: held by {held['by']}; version 2 was denied before and after; the tag "
        f"is record {tampered[0]} (registry.tag_tampered); a version without a standing has none of "
        "ours to put in its place"
    )


def given_back(story: Story) -> str:
    """Release what is held: the accountable person cannot do it alone (check 4)."""
    if story.standing()["state"] != "held":
        story.does("kai.sun", "versions/1/hold", why="scores look odd")
    if story.mlflow:
        alias = {"name": CARD, "alias": "champion", "version": "1"}
        story.mlflow.ask("POST", "registered-models/alias", **alias)
    note = "The alias was put back; nothing was served meanwhile.\n"
    outside = f'modelmon_registry_alias_outside{{model="{CARD}"}}'
    if story.mlflow:
        page = f"{story.address}/metrics"
        wait_for(lambda: samples(get(page)[1]).get(outside) == 0, seconds=WAIT)
    evidence = f"sha256:{sha256(note.encode()).hexdigest()}"
    for case in story.rows("cases", "list"):
        if case["model"] == CARD and case["cause"] != "groups-apart":
            path = f"cases/{case['number']}/close"
            story.does(
                "hao.chen", path, disposition="fix", evidence=evidence, why="the alias was put back"
            )
    story.does("hao.chen", "versions/1/release", why="looked into")
    number = newest(story, CARD)
    alone = story.may_not("hao.chen", f"requests/{number}/approve", "hao.chen", why="looked into")
    agree(story, CARD, number, "shu.wang")
    return f"alone: {alone}; with shu.wang: held → {story.standing()['state']}"


def september(story: Story) -> str:
    """Let July, August and September be logged, with nobody doing anything but serving (check 1)."""
    client, told, plain = story.client(), [], story.client()
    wait_for(lambda: story.permit()["action"] == "allow_with_conditions", seconds=WAIT)
    before = client.decide().action
    client.follow(lambda decision: told.append((CLOCK.now(), decision)))
    wait_for(lambda: told)
    wait_for(lambda: "ModelMonVersionHeld" not in story.firing(), seconds=WAIT)
    arrive(story.folder, "2005-07", "2005-08", "2005-09")
    begin_october(story.folder)
    wait_for(lambda: plain.decide().action == "route_to_human", seconds=WAIT)
    asked = CLOCK.now()
    wait_for(lambda: told[-1][1].action == "route_to_human", seconds=WAIT)
    heard = next(at for at, decision in told if decision.action == "route_to_human")
    moved = next(
        each
        for each in reversed(story.records("state.changed"))
        if each["subject"].startswith(f"model/{CARD}/") and each["data"]["after"]["state"] == "held"
    )
    held = datetime.fromisoformat(moved["ts"])
    after, polled = (heard - held).total_seconds(), (asked - held).total_seconds()
    for each in (client, plain):
        each.close()
    assert story.patient or after < 1, f"by long poll after {after:.2f} s"
    assert story.patient or polled < TTL, f"after {polled:.2f} s; a permit lives for {TTL} s"
    (case,) = [each for each in story.rows("cases", "list") if each["cause"] == "flags-many-more"]
    assert case["accountable"] == "hao.chen", case
    page = samples(get(f"{story.address}/metrics")[1])
    answer = f'modelmon_gate_answer{{action="route_to_human",model="{CARD}",version="1"}}'
    assert page[answer] == 1
    alias = ""
    if story.mlflow:
        wait_for(lambda: "champion" not in story.mlflow.aliases(CARD), seconds=WAIT)
        alias = "; the alias champion is gone in MLflow"
    wait_for(
        lambda: {"ModelMonVersionHeld", "ModelMonDrift"} <= story.firing(),
        seconds=WAIT,
    )
    fires = ", ".join(sorted(story.firing()))
    return (
        f"{before} → route_to_human, told by long poll {after:.2f} s, and to who asks again when its "
        f"permit ends {polled:.2f} s, after record {moved['seq']} (state.changed) by "
        f"{moved['actor']['id']}; case {case['number']} ({case['cause']}, {case['rung']}) names "
        f"{case['accountable']}, deadline {case['deadline']}; Prometheus fires {fires}{alias}"
    )


def explained(story: Story) -> str:
    """Follow the finding of the case back to where it comes from (check 10)."""
    alerts = story.rows("alerts", "list")
    finding = next(
        each["finding"]
        for each in alerts
        if (each["model"], each["measure"], each["state"]) == (CARD, "decision_rate", "firing")
    )
    told = story.call("explain", finding)
    for text in ("policy", "baseline", "files"):
        assert text in told.lower(), told
    digests = sorted(set(re.findall(r"\b[0-9a-f]{64}\b", told)))
    assert len(digests) >= 3, told
    ((seq, log),) = re.findall(r"audit record +(\d+) of (\S+), covered", told)
    proof = story.read(f"/v1/audit/records/{seq}/proof", story.auditor)
    record = json.loads(proof["record"])
    policy, run = record["policy"], record["data"]["run"]
    assert (record["log"], record["type"], {policy, run} <= set(digests)) == (
        log,
        "run.completed",
        True,
    ), (record, told)
    assert "flags-many-more" in story.call("policy", "show", CARD, "--digest", policy)
    source = "the files' digest"
    if story.mlflow:
        assert "4f2a9c1" in told and "applications" in told, told
        source = "the files' digest, MLflow run with commit 4f2a9c1 and data set applications"
    return (
        f"`modelmon explain {finding}` names policy, baseline, {source} ({len(digests)} digests); "
        f"record {seq}, which names the same run and policy; proof of {len(proof['proof'])} hashes at "
        f"/v1/audit/records/{seq}/proof"
    )


def authority(story: Story) -> str:
    """Ask which version was allowed to act at a time (check 12)."""
    allowed = next(
        each
        for each in story.records("gate.answer_changed")
        if each["subject"].startswith(f"model/{CARD}/") and each["data"]["action"] == "allow"
    )
    then = story.rows("authority", "--model", CARD, "--at", allowed["ts"])[0]["versions"]["1"]
    now = story.rows("authority", "--model", CARD)[0]["versions"]["1"]
    people = [vote["person"] for vote in then["approval"]["votes"]]
    assert (then["acts"], now["acts"], people) == (True, False, ["yu.fang", "hao.chen"])
    return f"at {allowed['ts']}: acts, approved by {' and '.join(people)}; now: {now['state']}"


def reload(story: Story) -> None:
    """Have the daemon read its files again."""
    subprocess.run(["kill", "-HUP", str(story.process.pid)], check=True)


def void(story: Story, model: str, name: str) -> dict:
    """Wait until an approval is void because something that it rests on is another."""
    size = None

    def found() -> dict | None:
        nonlocal size
        page = samples(get(f"{story.address}/metrics")[1])
        shown = next(
            v for series, v in page.items() if series.startswith("modelmon_audit_log_size")
        )
        if shown == size:
            return None  # to export it again would show the same
        size = shown
        voided = (
            each
            for each in reversed(story.records("approval.voided"))
            if each["subject"].startswith(f"model/{model}/") and name in each["data"]["found"]
        )
        return next(voided, None)

    return wait_for(found, seconds=WAIT)


def lost(story: Story, name: str) -> str:
    """Tell how the model beside lost its approval, and have it approved anew."""
    record = void(story, SERVING, name)
    held = story.standing(SERVING)
    assert (held["state"], held["by"]) == ("held", "daemon"), held
    page = f"{story.address}/metrics"
    of = f'modelmon_approval_void{{model="{SERVING}",model_version="1"}}'
    wait_for(lambda: samples(get(page)[1]).get(of) == 1, seconds=WAIT)
    return (
        f"record {record['seq']} approval.voided, modelmon_approval_void 1, held: {held['reason']}"
    )


def approve_anew(story: Story) -> None:
    """Answer the case of the model beside, and have what is there now approved."""
    note = story.folder / "change.txt"
    note.write_text("Meant, and looked at.\n")
    evidence = ("--evidence", str(note), "--why", "meant", "--by", "hao.chen")
    for case in story.rows("cases", "list", "--model", SERVING):
        story.call("cases", "close", SERVING, str(case["number"]), "fix", *evidence)
    approve_serving(story)


def exchanged(story: Story) -> str:
    """Put other weights in the place of those that were approved (check 5)."""
    (story.folder / "weights-1.bin").write_bytes(b"weights of last night")
    told = lost(story, "model")
    again = story.refused(
        *("release", SERVING, "1", "--why", "it is fine", "--by", "ting.wu"),
        because="submit it anew",
    )
    approve_anew(story)
    return f"{told}. A release is refused: {again}"


def another_baseline(story: Story) -> str:
    """Register another baseline under an approval (check 5)."""
    period = ("--from", "2005-04-01T00:00Z", "--to", "2005-04-01T00:00:48Z")
    why = ("--why", "shorter", "--by", "ting.wu")
    story.call("baseline", "register", SERVING, *period, *why)
    told = lost(story, "baseline")
    approve_anew(story)
    return told


def another_report(story: Story) -> str:
    """Write another report over the one that approvers have read (check 5)."""
    (story.folder / "validation-1.txt").write_text("Validated in May, and in June.\n")
    told = lost(story, "report")
    approve_anew(story)
    return told


def another_artifact(story: Story) -> str:
    """Write another MLmodel over the registered one, of a version that is held (check 5)."""
    if story.mlflow is None:
        raise NotShownError("without MLflow; tests/unit/engine/test_evidence.py shows it")
    version = {"name": CARD, "version": "1"}
    source = story.mlflow.ask("GET", "model-versions/get-download-uri", **version)["artifact_uri"]
    story.mlflow.put(f"{source.removeprefix('mlflow-artifacts:/')}/MLmodel", b"run_id: other\n")
    record = void(story, CARD, "model_file")
    told = story.may_not("ting.wu", "versions/1/release", "submit it anew", why="mended")
    found = record["data"]["found"]["model_file"]
    return (
        f"record {record['seq']} approval.voided, of a version that is held: model_file is {found}; "
        f"its release: {told}"
    )


def tightened(story: Story) -> tuple[str, str]:
    """Make the policy tighter (checks 5 and 7)."""
    path = story.folder / "models" / f"{SERVING}.yaml"
    before = story.standing(SERVING)
    assert before["state"] == "approved", before
    path.write_text(path.read_text() + "limits: {drift: {psi: {warning: 0.05}}}\n")
    reload(story)
    run_serving(story, 1)
    told = lost(story, "policy")
    assert "0.05" in story.call("policy", "show", SERVING)
    return "in force once read and a window run, with nobody asked", told


def loosened(story: Story) -> str:
    """Make it looser: it waits for two people (check 7)."""
    path = story.folder / "models" / f"{SERVING}.yaml"
    path.write_text(path.read_text().replace("warning: 0.05", "warning: 0.2"))
    reload(story)
    pending = f'modelmon_policy_pending{{model="{SERVING}"}}'
    page = f"{story.address}/metrics"
    wait_for(lambda: samples(get(page)[1]).get(pending) == 1, seconds=WAIT)
    story.call("policy", "propose", SERVING, "--why", "seasonal", "--by", "ting.wu")
    number = newest(story, SERVING)
    agree(story, SERVING, number, "rong.tsai")
    assert "0.05" in story.call("policy", "show", SERVING), "one approval sufficed"
    agree(story, SERVING, number, "hao.chen")
    wait_for(lambda: samples(get(page)[1]).get(pending) == 0, seconds=WAIT)
    assert "0.2" in story.call("policy", "show", SERVING)
    return "0.05 stayed in force after rong.tsai; 0.2 in force after rong.tsai and hao.chen"


def ignored(story: Story) -> str:
    """Go on deciding with a version that is held (check 11)."""
    state = story.standing(SERVING)["state"]
    assert state == "held", state
    time.sleep(2.5)  # the last permit lapses
    now = CLOCK.now().timestamp()
    start = datetime.fromtimestamp(now - now % LIVE + LIVE, UTC)
    end = start + timedelta(seconds=LIVE)
    rows = write_decisions(story.folder, "live", start, LIVE)
    time.sleep(max(0.0, (end - CLOCK.now()).total_seconds()) + 0.1)
    period = ("--from", f"{start:%Y-%m-%dT%H:%M:%SZ}", "--to", f"{end:%Y-%m-%dT%H:%M:%SZ}")
    story.call("run", "--model", SERVING, *period)

    def counted():
        page = samples(get(f"{story.address}/metrics")[1])
        return [
            (name, value)
            for name, value in page.items()
            if name.startswith("modelmon_decisions_outside_authority{") and value > 0
        ]

    found = wait_for(counted, seconds=WAIT)
    (record,) = story.records("authority.exceeded")
    return f"{rows} decisions while {state}: {found[0][0]} {found[0][1]:g}; record {record['seq']}"


def blocked(story: Story) -> str:
    """Have the audit log refuse to be written (check 14)."""
    trigger = (
        "CREATE TRIGGER broken BEFORE INSERT ON modelmon_audit_records"
        " BEGIN SELECT RAISE(ABORT, 'disk failure'); END"
    )
    before = story.standing(SERVING)
    with closing(sqlite3.connect(story.made.database)) as database:
        database.execute(trigger)
    done = story.made.call("stop", SERVING, "1", "--why", "x", "--by", "kai.sun", check=False)
    after = story.standing(SERVING)
    with closing(sqlite3.connect(story.made.database)) as database:
        database.execute("DROP TRIGGER broken")
    assert done.returncode != 0, done.stderr
    assert after == before, (before, after)
    return (
        f"`modelmon stop` ended with {done.returncode}; the version is {after['state']} as before"
    )


def outage(story: Story) -> str:
    """Have MLflow die (check 14)."""
    if story.mlflow is None:
        raise NotShownError("without MLflow; tests/e2e/test_mlflow.py shows it with a real server")
    story.mlflow.kill()
    story.does("kai.sun", "versions/1/stop", why="wrong file in production")
    state = story.standing()["state"]
    assert state == "stopped", state
    wait_for(lambda: story.permit()["action"] == "deny", seconds=WAIT)
    story.mlflow.start()
    tag = wait_for(
        lambda: story.mlflow.tags(CARD, "1").get("monitor.state") == "stopped" and "stopped",
        seconds=WAIT,
    )
    return f"stopped while MLflow was dead; when it was back its tag said {tag}"


def rolled_back(story: Story, backup: Path) -> str:
    """Put an older store in the place of the newest (check 9)."""
    current = story.folder / "current.db"
    copy_store(story.made.database, current)
    for file in story.made.database.parent.glob("modelmon.db*"):
        file.unlink()
    shutil.copy(backup, story.made.database)
    done = story.made.call("stop", SERVING, "1", "--why", "x", "--by", "kai.sun", check=False)
    for file in story.made.database.parent.glob("modelmon.db*"):
        file.unlink()
    shutil.copy(current, story.made.database)
    assert (done.returncode, "backup restored" in done.stderr) == (5, True), done.stderr
    return f"exit 5, {done.stderr.strip().splitlines()[0]}"


def scraped(story: Story) -> str:
    """Hold the log against what Prometheus has of it (check 9)."""
    (log,) = story.rows("audit", "verify", "--prometheus", story.prometheus)["logs"]
    assert not log["flaws"], log
    assert log["confirmed_outside"], log
    return (
        f"of {log['records']} records {log['confirmed_outside']} are as Prometheus, and the file that "
        "is kept apart, have seen them; 0 things wrong"
    )


def four_writers(made: Deployment) -> str:
    """Write with four processes at once (check 15)."""

    def write(place: int) -> None:
        for turn in range(2):
            created = ("token", "create", f"writer {place}.{turn}", "--for", "kai.sun")
            made.call(*created, "--role", "viewer", "--expires", "1h")

    with ThreadPoolExecutor(4) as writers:
        list(writers.map(write, range(4)))
    made.call("audit", "verify")
    bodies = (
        json.loads(line).get("record") for line in made.call("audit", "export").stdout.splitlines()
    )
    found = [json.loads(body) for body in bodies if body]
    assert [each["seq"] for each in found] == list(range(len(found)))
    return f"8 changes by 4 processes, {len(found)} records in one chain, verified"


def postgresql(story: Story) -> str:
    """Do the same on PostgreSQL."""
    folder = story.folder / "postgresql"
    folder.mkdir()
    with postgres_server.running() as server:
        made = Deployment(folder)
        text = f'models: ../models\nstore: {{url: "{server.new_database()}"}}\n'
        made.config.write_text(text)
        made.call("db", "upgrade")
        made.call("audit", "init", "--key", str(folder / "audit.key"), "--origin", "demo/pg")
        made.config.write_text(text + "audit: {key: audit.key}\n")
        return four_writers(made)


def begin(story: Story) -> None:
    """Tell how the version comes to act, and what nobody can do about it."""
    say("The daemon is started; people approve the version …")
    with story.daemon() as process:
        story.check(
            4,
            "who asked, who built, who has not logged in and a second account say yes",
            lambda: approve_with_refusals(story),
        )
        approve_serving(story)
        until = waive(story)
        agree(story, CARD, 1, "hao.chen")
        if story.mlflow:
            alias = {"name": CARD, "alias": "champion", "version": "1"}
            story.mlflow.ask("POST", "registered-models/alias", **alias)
        story.check(6, "a waiver ends at night", lambda: waiver_ends(story, until))
        story.check(
            13, "a permit for a model whose policy is not complete", lambda: ungoverned(story)
        )
        lapsed: list[str] = []

        def closed() -> str:
            lapsed.extend(killed(story, process))
            return lapsed[0]

        story.check(2, "the daemon is killed; policy: closed", closed)
        story.check(2, "the same; low risk, policy: open", lambda: lapsed[1])


def lose(story: Story) -> None:
    """Tell how versions lose what they were given."""
    say("The daemon is started again …")
    with story.daemon():
        story.check(
            3,
            "alias and tag are set in MLflow for a version nobody approved",
            lambda: moved_outside(story),
        )
        story.check(4, "what was held is released", lambda: given_back(story))
        story.check(1, "September breaks a limit", lambda: september(story))
        story.check(10, "a verdict is followed to its source", lambda: explained(story))
        story.check(12, "who was allowed to act then, and who is now", lambda: authority(story))
        story.check(5, "other weights under the approval", lambda: exchanged(story))
        story.check(5, "another report", lambda: another_report(story))
        story.check(5, "another baseline", lambda: another_baseline(story))
        story.check(5, "another MLmodel in MLflow", lambda: another_artifact(story))
        both: list[str] = []

        def tighter() -> str:
            both.extend(tightened(story))
            return both[0]

        story.check(7, "the policy is made tighter", tighter)
        story.check(5, "and so another policy", lambda: both[1])
        story.check(7, "the policy is made looser", lambda: loosened(story))
        story.check(11, "the serving layer ignores a hold", lambda: ignored(story))
        story.check(14, "MLflow is killed", lambda: outage(story))
        story.check(9, "Prometheus is asked what the log was", lambda: scraped(story))


def tell(story: Story) -> None:
    """Tell all of it."""
    with story.watched():
        begin(story)
        backup = story.folder / "old.db"
        copy_store(story.made.database, backup)
        lose(story)
    say("The daemon is stopped; the auditor comes …")
    story.check(14, "the audit log cannot be written", lambda: blocked(story))
    story.check(15, "four writers at once, SQLite", lambda: four_writers(story.made))
    story.check(15, "four writers at once, PostgreSQL", lambda: postgresql(story))
    audited = story.audited()
    story.check(9, "a witness of others cosigns", lambda: governance_log.cosigned(audited))
    story.check(
        8,
        "an export is verified offline, and one of each store that somebody has attacked",
        lambda: governance_log.attacks(audited, backup),
    )
    story.check(9, "it is shown another history", lambda: governance_log.fork_refused(audited))
    story.check(9, "a library of others verifies", lambda: governance_log.proved_elsewhere(audited))
    story.check(9, "an older backup is put in place", lambda: rolled_back(story, backup))


def summary(story: Story) -> int:
    """Tell the fifteen, and return the exit code."""
    say("")
    say("The fifteen checks")
    counts = {"✓": 0, "✗": 0, "–": 0}
    for number in range(1, 16):
        lines = story.told.get(number, [("✗", "it was never reached")])
        marks = {mark for mark, _ in lines}
        mark = "✗" if "✗" in marks else "✓" if marks == {"✓"} else "–"
        counts[mark] += 1
        for place, (part, line) in enumerate(lines):
            head = f"{mark} {number:2}" if not place else "    "
            say(line, f"{head}  {f'{part} ' if len(lines) > 1 else ''}")
    say("")
    say(f"{counts['✓']} seen, {counts['✗']} failed, {counts['–']} not shown, wholly or in part")
    return int(counts["✗"] > 0)


def main(arguments: list[str] | None = None) -> int:
    """Read the flag, tell the story, and return the exit code."""
    parser = argparse.ArgumentParser(description="Show governance at work, in fifteen checks.")
    parser.add_argument("--without-mlflow", action="store_true", help="leave MLflow out")
    parser.add_argument(
        "--patient", action="store_true", help="bound nothing by time: the machine is busy"
    )
    given = parser.parse_args(arguments)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="governance-demo-")))
        server = None
        if not given.without_mlflow:
            say("A real MLflow server is started (installed the first time) …")
            (folder / "mlflow").mkdir()
            server = MlflowServer(folder / "mlflow")
            server.start()
            stack.callback(server.kill)
            server.ask("POST", "registered-models/create", name=CARD)
            for _ in range(2):
                server.register(CARD, b"run_id: r\n")
        say("Baseline, keys, a first month, and a witness that somebody else wrote …")
        for name in ("monitor", "witness"):
            (folder / name).mkdir()
        witness = TlogWitness(folder / "witness")
        witness.start()
        stack.callback(witness.stop)
        story = Story(folder / "monitor", server, witness, patient=given.patient)
        lay_out(story)
        tell(story)
        return summary(story)


if __name__ == "__main__":
    sys.exit(main())
