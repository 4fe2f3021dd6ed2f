"""What it costs to show a fleet to Prometheus: CPU seconds of rendering, seconds of its scrapes."""

import argparse
import json
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from socket import create_server
from statistics import median
from tempfile import TemporaryDirectory
from urllib.parse import urlencode

from benchmarks.fleet import BUILD, FAMILIES, fleet, model
from monitor import app
from monitor.exposition.page import ResultsPage
from monitor.exposition.process import ProcessMetrics
from monitor.exposition.render import page_of, render_model
from monitor.exposition.text import Chunk, Form
from monitor.exposition.vitals import Vitals
from monitor.store.sql import SqlStore
from monitor.web.app import create_app
from monitor.web.health import Health
from monitor.web.pages.library import Library
from monitor.web.server import WebServer

FEATURES = 500
SCRAPES = 12
AT = datetime(2026, 2, 2, 2, tzinfo=UTC)

Rendered = dict[str, Mapping[str, Chunk]]


def seconds(work: Callable[[], object]) -> float:
    """Return the CPU seconds of this process that some work takes."""
    begin = time.process_time()
    work()
    return time.process_time() - begin


def series(rendered: Rendered) -> int:
    """Return the number of series."""
    return sum(chunk.text.count(b"\n") for of in rendered.values() for chunk in of.values())


def rendering(models: int) -> tuple[Rendered, list[str]]:
    """Render a fleet, then one model anew, and return what there is and rows of a table."""
    rendered: Rendered = {}
    spent = 0.0
    for number in range(models):  # one at a time: the results of all would not fit in memory
        (snapshot,) = (
            fleet(1, FEATURES) if number == 0 else [model(f"model-{number:03d}", FEATURES)]
        )
        begin = time.process_time()
        rendered[snapshot.policy.model] = render_model(snapshot, FAMILIES)
        spent += time.process_time() - begin
    number = series(rendered)
    changed, page = model("model-000", FEATURES, 0.01), ResultsPage()

    def publish() -> None:
        rendered["model-000"] = render_model(changed, FAMILIES)
        page.publish(page_of(rendered, BUILD), AT)

    published = median(seconds(publish) for _ in range(5))
    first = seconds(lambda: page.packed(b"", Form.OPENMETRICS))
    later = median(seconds(lambda: page.packed(b"", Form.OPENMETRICS)) for _ in range(5))
    size = len(page.packed(b"", Form.OPENMETRICS)) / 2**20
    row = (
        f"| {models} × {FEATURES} | {number:,} | {spent:.2f} | {published:.3f} | {first:.3f} |"
        f" {later:.4f} | {size:.1f} |"
    )
    return rendered, [row]


@contextmanager
def prometheus(port: int, folder: Path) -> Iterator[Callable[[str], list[float]]]:
    """Let a Prometheus scrape a port every two seconds, and yield what asks it for values."""
    with closing(create_server(("127.0.0.1", 0))) as free:
        own = free.getsockname()[1]
    job = {
        "job_name": "modelmon",
        "scrape_interval": "2s",
        "scrape_timeout": "2s",
        "static_configs": [{"targets": [f"127.0.0.1:{port}"]}],
    }
    (folder / "prometheus.yml").write_text(json.dumps({"scrape_configs": [job]}))  # JSON is YAML
    program = shutil.which("prometheus")
    if program is None:
        raise SystemExit("prometheus is missing: install Debian's package prometheus")
    command = [
        program,
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{own}",
    ]

    def ask(expression: str) -> list[float]:
        url = f"http://127.0.0.1:{own}/api/v1/query?{urlencode({'query': expression})}"
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                found = json.load(answer)["data"]["result"]
        except OSError:  # not listening yet
            return []
        return [float(value) for one in found for _, value in one.get("values", [one.get("value")])]

    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        yield ask
    finally:
        process.terminate()
        process.wait(30)


def scraping(rendered: Rendered) -> str:
    """Let Prometheus scrape a fleet, and return a row of a table."""
    page, vitals = ResultsPage(), Vitals(rendered)
    page.publish(page_of(rendered, BUILD), AT)
    process = ProcessMetrics(vitals, page)
    health = Health(vitals, page, timedelta(hours=1))
    library = Library(
        dict, SqlStore("sqlite://"), app.policy_of_text, app.line_of_key, app.SystemClock().now
    )
    served = create_app(page, process, health, library)
    server = WebServer(served, ended=lambda: None)
    _, port = server.start()
    with TemporaryDirectory() as folder, prometheus(port, Path(folder)) as ask:
        end = time.monotonic() + 180
        while len(ask("scrape_duration_seconds[5m]")) < SCRAPES and time.monotonic() < end:
            time.sleep(1)
        took, up = ask("scrape_duration_seconds[5m]"), ask("min_over_time(up[5m])")
        taken = ask("scrape_samples_post_metric_relabeling")
    server.stop()
    steady = took[3:]
    return (
        f"| {int(taken[0]):,} | {len(took)} | {took[0]:.2f} | {median(steady):.3f} |"
        f" {max(steady):.3f} | {'all' if up == [1.0] else 'not all'} |"
    )


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="100 models besides: some minutes")
    full = parser.parse_args().full
    rendered, rows = rendering(5)
    if full:
        rows += rendering(100)[1]
    print(
        "| models × features | series | render all, CPU s | render one and publish, CPU s |"
        " first scrape, CPU s | later scrapes, CPU s | gzipped MB |\n|---|---:|---:|---:|---:|---:|---:|"
    )
    print("\n".join(rows))
    print(
        "\n| samples | scrapes | first, s | median of the steady, s (goal < 0.5) | longest, s | up |\n"
        "|---:|---:|---:|---:|---:|---|"
    )
    print(scraping(rendered))


if __name__ == "__main__":
    main()
