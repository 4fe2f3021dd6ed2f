"""What all tests share: golden files, no silent skips in CI, reproducible examples."""

import gc
import os
from itertools import chain, zip_longest
from pathlib import Path

import pytest
from hypothesis import settings

GOLDEN = Path(__file__).parent / "golden"

settings.register_profile("default", deadline=None, print_blob=True)
settings.register_profile("ci", deadline=None, print_blob=True, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")


def pytest_addoption(parser):
    parser.addoption(
        "--rewrite-golden",
        action="store_true",
        help="run only the tests that use golden files, and rewrite those files",
    )


WAITING = ("e2e", "faults", "dashboards")
"""Folders whose files take long, mostly to wait for processes."""

COMPUTING = ("fuzz", "hostile", "contract", "statistics", "properties")
"""Folders whose files take long, mostly to compute."""

SLOW = frozenset({"contract", "e2e", "faults", "properties", "statistics"})
"""Folders whose tests need a database server, a process or many examples: all of them are slow."""


TIMED = frozenset({*WAITING, "speed"})
"""Folders whose tests depend on when the machine gives a process its turn."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Give a file's tests to one worker, where no mark says otherwise: fixtures are made once."""
    if config.getvalue("dist") != "loadgroup":
        return None
    from xdist.scheduler import LoadGroupScheduling

    class ByFile(LoadGroupScheduling):
        def _split_scope(self, nodeid):
            group = super()._split_scope(nodeid)
            return nodeid.partition("::")[0] if group == nodeid else group

    return ByFile(config, log)


def _long_first(items):
    """Return the items of long files first: what is begun last should be short.

    Files that wait and files that compute take turns, so that there is always something to compute.
    """
    waiting, computing, others = {}, {}, []
    for item in items:
        file = item.nodeid.partition("::")[0]
        folders = set(file.split("/"))
        if folders.intersection(WAITING):
            waiting.setdefault(file, []).append(item)
        elif folders.intersection(COMPUTING):
            computing.setdefault(file, []).append(item)
        else:
            others.append(item)
    turns = zip_longest(waiting.values(), computing.values(), fillvalue=[])
    return [*chain.from_iterable(chain.from_iterable(turns)), *others]


def pytest_collection_modifyitems(config, items):
    for item in items:
        folders = item.nodeid.partition("::")[0].split("/")
        if SLOW.intersection(folders):
            item.add_marker(pytest.mark.slow)
        if os.environ.get("CI") and TIMED.intersection(folders):
            # The summary names it, with what failed: CONTRIBUTING says why.
            item.add_marker(pytest.mark.flaky(reruns=1))
    items[:] = _long_first(items)
    if config.getoption("--rewrite-golden"):
        golden = [item for item in items if "golden" in item.fixturenames]
        config.hook.pytest_deselected(items=[item for item in items if item not in golden])
        items[:] = golden


def pytest_collection_finish():
    """Look for garbage less often, and not in what was loaded: it took a seventh of all computing."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


@pytest.fixture
def golden(request):
    """Return ``check(name, text)``: text equals tests/golden/name, which `make golden` rewrites."""

    def check(name, text):
        path = GOLDEN / name
        if request.config.getoption("--rewrite-golden"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert text == path.read_text(encoding="utf-8"), f"`make golden` rewrites {path}"

    return check


@pytest.fixture(scope="session")
def running_s3(tmp_path_factory):
    """A real S3 server; its tests share a worker: ``xdist_group("s3")``."""
    from tests import s3_server

    process, server = s3_server.start(tmp_path_factory.mktemp("s3"))
    yield server
    process.terminate()
    process.wait()


@pytest.fixture
def s3(running_s3, monkeypatch):
    """The S3 server, and the environment in which its credentials are found."""
    for name, value in running_s3.environment.items():
        monkeypatch.setenv(name, value)
    return running_s3


def _refuse_skip(report):
    # In CI everything that a test may need is installed, so a skip hides that nothing was tested.
    if os.environ.get("CI") and report.skipped and not hasattr(report, "wasxfail"):
        where, line, reason = report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{report.nodeid} was skipped in CI: {where}:{line}: {reason}"
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport():
    return _refuse_skip((yield))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report():
    return _refuse_skip((yield))


@pytest.fixture(scope="session")
def postgres_server():
    """A real PostgreSQL server."""
    from tests.postgres_server import running

    with running() as server:
        yield server


@pytest.fixture
def postgres_url(postgres_server):
    """Return the URL of a new, empty database."""
    return postgres_server.new_database()
