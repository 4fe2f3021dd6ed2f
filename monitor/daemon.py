"""The daemon: checks by schedule, results on a page, and an end when told to."""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from hashlib import sha256
from threading import Lock

from monitor.app import code_version, measure_families, snapshot, source_of
from monitor.domain.manifest import LateChange
from monitor.domain.policy import Policy
from monitor.domain.quarantine import QuarantinedFile
from monitor.domain.settings import DaemonSettings
from monitor.engine.check import check_due, guarded
from monitor.engine.lookback import Lookback
from monitor.engine.ports import Source
from monitor.engine.progress import Silent
from monitor.engine.run import Outside, Ran
from monitor.engine.snapshot import ModelSnapshot
from monitor.exposition.page import ResultsPage
from monitor.exposition.process import ProcessMetrics
from monitor.exposition.render import Build, render
from monitor.exposition.vitals import Configuration, Vitals
from monitor.reports.summary import worst
from monitor.reports.wording import all_findings
from monitor.scheduling.checks import CheckSchedule
from monitor.web.app import create_app
from monitor.web.health import Health
from monitor.web.server import WebServer, stop_signals

HEARTBEAT_BOUND = timedelta(seconds=60)
"""A heartbeat older than this means that the scheduler hangs: twelve beats missed."""

DRAIN = timedelta(seconds=20)
"""How long a running check may take to end after SIGTERM; a result half done is done again."""

NAMED = 10
"""Files of a check that came into quarantine or left it that are logged by name."""

_log = logging.getLogger("modelmon")


class Daemon:
    """Checks models and keeps their newest stored results on a page.

    Args:
        settings: Where to listen, how often to check.
        policies: The models.
        outside: Store, compute, clock.
        vitals: Where the daemon's own condition is noted.
    """

    def __init__(
        self,
        settings: DaemonSettings,
        policies: Sequence[Policy],
        outside: Outside,
        vitals: Vitals,
    ) -> None:
        self._policies = {policy.model: policy for policy in policies}
        self._sources: dict[str, Source] = {}
        self._lookbacks: dict[str, Lookback] = {}
        self._outside = outside
        self._settings = settings
        self._vitals = vitals
        self._page = ResultsPage()
        self._snapshots: dict[str, ModelSnapshot] = {}
        self._publishing = Lock()
        self._schedule = CheckSchedule(
            self.check,
            dict.fromkeys(self._policies, settings.check_every),
            vitals,
            outside.clock,
            workers=settings.workers,
        )

    def run(self, announce: Callable[[str, int], None]) -> bool:
        """Serve and check until SIGTERM or SIGINT.

        The last stored results are on the page before ``/-/ready`` says so and before the first
        check begins.

        Args:
            announce: Called once with the address, when the page can be scraped.

        Returns:
            Whether everything ended within its bound.

        Raises:
            ListenError: The address cannot be listened on.
            StoreError: The last results cannot be read.
        """
        digests = (policy.digest for policy in self._policies.values())
        digest = sha256("\n".join(sorted(digests)).encode()).hexdigest()
        self._vitals.configured(Configuration(digest, self._outside.clock.now()))
        with stop_signals() as stop:
            health = Health(self._vitals, self._page, HEARTBEAT_BOUND)
            app = create_app(self._page, ProcessMetrics(self._vitals, self._page), health)
            server = WebServer(
                app,
                self._settings.host,
                self._settings.port,
                ended=lambda: stop.ask("the web server ended"),
            )
            host, port = server.start()
            self._vitals.beat(self._outside.clock.now())
            self.publish(self._policies)
            self._schedule.start()
            announce(host, port)
            reason = stop.wait()
            _log.info("stopping: %s", reason)
            ended = self._schedule.stop(DRAIN)
            return server.stop() and ended

    def publish(self, models: Sequence[str] | dict[str, Policy]) -> None:
        """Read some models' newest results from the store and exchange the page."""
        with self._publishing:
            for model in models:
                self._snapshots[model] = snapshot(self._policies[model], self._outside)
            text = render(list(self._snapshots.values()), Build(code_version()), measure_families())
            self._page.publish(text, self._outside.clock.now())

    def check(self, model: str) -> None:
        """Run a model's due windows; a failure is stored, logged and tried again next time."""
        failed = guarded(model, lambda: self._check(model), self._outside)
        if failed is not None:
            _log.error(
                "check failed: %s", failed.error, exc_info=failed.error, extra={"model": model}
            )
            self.publish([model])

    def _check(self, model: str) -> None:
        policy = self._policies[model]
        source = self._sources.setdefault(model, source_of(policy))
        before = self._outside.store.quarantine(model)
        try:
            self._run_due(policy, source)
        finally:
            after = self._outside.store.quarantine(model)
            _tell_quarantine(before, after)
            if after != before:
                self.publish([model])

    def _run_due(self, policy: Policy, source: Source) -> None:
        lookback = self._lookbacks.setdefault(policy.model, Lookback())
        for ran in check_due(policy, source, self._outside, Silent(), lookback):
            _tell(ran)
            self.publish([policy.model])
            if self._schedule.stopping.is_set():
                return
        self._vitals.looked_back(policy.model, len(lookback.closed), lookback.late_files)
        for change in lookback.told():
            _warn(policy.model, change)


def _tell_quarantine(
    before: Mapping[str, QuarantinedFile], after: Mapping[str, QuarantinedFile]
) -> None:
    """Log which files came into the quarantine or left it: some by name, the rest by number."""
    changed = [file for path, file in after.items() if path not in before or before[path] != file]
    moved = [file for file in changed if file.attempts <= 1 or not file.inside]
    for file in moved[:NAMED]:
        level = logging.WARNING if file.inside else logging.INFO
        why = f", {file.reason}: {file.explanation}" if file.inside else ""
        extra = {"model": file.model}
        _log.log(level, "%r in quarantine: %s%s", file.path, file.state, why, extra=extra)
    if len(moved) > NAMED:
        _log.warning("and %d more files: see modelmon quarantine list", len(moved) - NAMED)


def _tell(ran: Ran) -> None:
    run = ran.run
    verdict = worst(all_findings(run))
    _log.info(
        "%s: %s, revision %d, %d rows, worst finding %s",
        run.window,
        run.outcome,
        ran.committed.revision,
        run.accounting.read,
        verdict,
        extra={"run": run.identity[:12], "model": run.model, "window": run.window},
    )


def _warn(model: str, change: LateChange) -> None:
    _log.warning(
        "%s is closed and keeps its result; since then %s",
        change.window,
        change,
        extra={"model": model, "window": change.window},
    )
