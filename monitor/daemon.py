"""The daemon: checks by schedule, results on a page, and an end when told to."""

import logging
import sys
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from datetime import timedelta
from functools import cached_property
from operator import attrgetter
from threading import Lock

from msgspec import Struct, field
from msgspec.structs import replace
from starlette.routing import Route
from starlette.types import ASGIApp

from monitor import logs, news, supervisor
from monitor.app import (
    access_store,
    auditing,
    code_version,
    in_force,
    line_of_key,
    measure_families,
    policy_of_text,
    snapshot,
    source_of,
)
from monitor.config.files import ConfigChange, ConfigFiles, Configured, change_between
from monitor.domain.errors import FencedError, ModelmonError, StoreError
from monitor.domain.lease import Term
from monitor.domain.policy import Policy
from monitor.domain.settings import DaemonSettings
from monitor.engine.check import check_due, guarded
from monitor.engine.lookback import Lookback
from monitor.engine.ports import Clock, Source
from monitor.engine.progress import Silent
from monitor.engine.run import Outside
from monitor.engine.snapshot import ModelSnapshot
from monitor.exposition.page import ResultsPage
from monitor.exposition.process import ProcessMetrics
from monitor.exposition.render import Build, page_of, render_model
from monitor.exposition.text import Chunk
from monitor.exposition.vitals import Configuration, Vitals
from monitor.gatekeeper import Gatehouse, gate_key
from monitor.scheduling.audit_rounds import AuditRounds, attested
from monitor.scheduling.checks import CheckSchedule
from monitor.scheduling.leadership import Leadership
from monitor.scheduling.registry_rounds import rounds_of
from monitor.scheduling.tidying import Tidying
from monitor.store.added_up import AddedUp
from monitor.web.api.opening import api_of
from monitor.web.app import create_app
from monitor.web.health import Health
from monitor.web.hosts import answering_to_its_names
from monitor.web.pages.library import Library
from monitor.web.registry_hook import Deliveries, webhook_route
from monitor.web.server import WebServer, stop_signals

HEARTBEAT_BOUND = timedelta(seconds=60)
"""A heartbeat older than this means that the scheduler hangs: twelve beats missed."""

DRAIN = timedelta(seconds=20)
"""How long a running check may take to end after SIGTERM; a result half done is done again."""

CALL = timedelta(seconds=5)
"""How long a call of the registry may take to end after SIGTERM."""

_log = logging.getLogger("modelmon")

_known_by = attrgetter("digest", "directory", "waiting")


class Watched(Struct, frozen=True, dict=True):
    """A model in force, with what this process remembers of it.

    Attributes:
        policy: Its policy: a run that began under it ends under it.
        clock: The time of day.
        term: The term in which it was last checked here; None before the first time.
        lookback: What is remembered from one check to the next of the same term.
    """

    policy: Policy
    clock: Clock
    term: Term | None = None
    lookback: Lookback = field(default_factory=Lookback)

    @cached_property
    def source(self) -> Source:
        """Return the log, reached for the first time when it is first asked for."""
        return source_of(self.policy, clock=self.clock)


class Exported(Struct, frozen=True):
    """What is shown of a model: to people on pages, and to Prometheus.

    Attributes:
        shot: Its newest results.
        lines: The same as series.
    """

    shot: ModelSnapshot
    lines: Mapping[str, Chunk]


class Daemon:
    """Checks models while it leads, and keeps their newest stored results on a page.

    Args:
        files: Where the configuration is read again.
        configured: What they said at the start.
        outside: Store, compute, clock.
        leadership: Whether this is the replica that checks.
        vitals: Where the daemon's own condition is noted.
    """

    def __init__(
        self,
        files: ConfigFiles,
        configured: Configured,
        outside: Outside,
        leadership: Leadership,
        vitals: Vitals,
    ) -> None:
        self._files = files
        self._configured = configured
        self._outside = outside
        self._watched = {
            file.model: Watched(in_force(file, outside.store).policy, outside.clock)
            for file in configured.policies
        }
        self._leadership = leadership
        self._vitals = vitals
        vitals.led(leadership.told)
        self._rounds = rounds_of(
            configured.settings.registry,
            outside,
            lambda: {name: item.policy for name, item in self._watched.items()},
            lambda: leadership.term,
        )
        if self._rounds is not None:
            vitals.mirrored(self._rounds.told)
        settings, term = configured.settings, lambda: leadership.term
        self._audit = AuditRounds(attested(settings, auditing(settings), outside.clock, term))
        vitals.attested(self._audit.told)
        self._page = ResultsPage()
        self._health = Health(vitals, self._page, HEARTBEAT_BOUND)
        self._gatehouse = Gatehouse(
            outside.store,
            lambda: [item.policy for item in self._watched.values()],
            AddedUp(settings.store_url, auditing(settings)).doubts,
            gate_key(configured.settings),
            leadership,
            self._health.healthy,
            outside.clock,
        )
        vitals.gated(self._gatehouse.told)
        self._exported: dict[str, Exported] = {}
        self._shown: dict[str, int] = {}
        self._size = 0
        self._publishing = Lock()
        self._reloading = Lock()
        self._schedule = CheckSchedule(
            self.check,
            dict.fromkeys(self._watched, configured.settings.check_every),
            vitals,
            outside.clock,
            workers=configured.settings.workers,
            beaten=supervisor.alive,
            follow=self.follow,
            tidy=Tidying(
                outside,
                leadership,
                vitals,
                retention=lambda: self._configured.settings.retention,
                policies=lambda: [item.policy for item in self._watched.copy().values()],
                policy_of=policy_of_text,
                stopping=self._is_stopping,
            ),
        )

    def run(self, announce: Callable[[str, int], None]) -> bool:
        """Serve and check until SIGTERM or SIGINT; SIGHUP reads the configuration again.

        The last stored results are on the page before ``/-/ready`` says so and before the first
        check begins.

        Args:
            announce: Called once with the address, when the page can be scraped.

        Returns:
            Whether everything ended within its bound.

        Raises:
            ListenError: The address cannot be listened on.
            StoreError: The last results cannot be read, or a daemon on another machine uses the
                same SQLite file.
        """
        settings = self._configured.settings
        with stop_signals() as stop:
            server = WebServer(
                self._app(),
                settings.host,
                settings.port,
                ended=lambda: stop.ask("the web server ended"),
            )
            with self._reloading:  # requests are answered from the first line on
                host, port = server.start()
                self._vitals.beat(self._outside.clock.now())
                self._note_configured()
                self._leadership.ask()
                self.publish(self._watched)
                self._schedule.start()
                self._gatehouse.start()
                self._audit.start()
                self._leadership.start(
                    self._schedule.all_at_once, ended=lambda: stop.ask("the lease is not kept")
                )
            if self._rounds is not None:
                self._rounds.start()
            announce(host, port)
            supervisor.ready(self._status())
            reason = stop.wait(self._hung_up)
            _log.info("stopping: %s", reason)
            supervisor.stopping()
            if self._rounds is not None:
                self._rounds.stop(CALL)  # one that is cut off is done again
            self._gatehouse.stop()
            self._audit.stop()
            ended = self._schedule.stop(DRAIN)
            self._leadership.stop()
            return server.stop() and ended

    def publish(self, models: Collection[str]) -> None:
        """Read some models' newest results from the store and exchange the page.

        Models that are no longer watched are left out.
        """
        with self._publishing:
            changes = self._outside.store.changes()  # first: what comes later is shown later
            size = self._outside.store.size()
            for model in models:
                if model in self._watched:
                    self._exported[model] = self._export(
                        self._watched[model].policy, self._configured.settings
                    )
                    self._shown[model] = changes.get(model, 0)
            self._size = size
            self._exchange_page()

    def follow(self) -> None:
        """Publish what other processes have written: the replica that leads, or a command."""
        if self._leadership.term is None:
            self._vitals.stood_by()
        try:
            changes = self._outside.store.changes()
            old = [model for model, number in changes.items() if number != self._shown.get(model)]
            if not self._watched.keys().isdisjoint(old):
                self.publish(old)
        except StoreError as error:
            # Asking for the lease meets the same trouble, tells of it and counts it.
            _log.debug("changes are looked for again: %s", error)

    def reload(self) -> ConfigChange:
        """Put what the files say now in force, wholly, or refuse it and change nothing.

        A run under way ends under the policy that it began with; what is due after it is run under
        the new one.

        Raises:
            ConfigError: With every problem; the configuration in force stays.
            StoreError: The results of a model that is new cannot be read; the same.
        """
        with self._reloading:
            supervisor.reloading()
            try:
                return self._reload()
            finally:
                supervisor.ready(self._status())

    def check(self, model: str) -> None:
        """Run a model's due windows, if this replica leads.

        A failure is stored, logged and tried again next time; one that the store does not take is
        counted by this process. What is written is refused when the term in which the check began
        is over.
        """
        self._take_up(model)
        term = self._leadership.term
        if term is None:
            return
        outside = replace(self._outside, store=self._outside.store.under(term))
        try:
            failed = guarded(model, lambda: self._check(model, term, outside), outside)
        except FencedError as error:
            self._leadership.refused(term)
            _log.warning("refused: %s", error, extra={"model": model})
            return
        except StoreError as error:
            self._vitals.count_error(model)
            _log.error(
                "check failed, and that cannot be stored: %s",
                error,
                exc_info=error,
                extra={"model": model},
            )
            return
        if failed is not None:
            about = {"model": model}
            if failed.failure.window is not None:
                about["window"] = str(failed.failure.window)
            _log.error("check failed: %s", failed.error, exc_info=failed.error, extra=about)
            self.follow()

    def _take_up(self, model: str) -> None:
        """Put a looser policy in force that has been approved since it was read."""
        file = next((item for item in self._configured.policies if item.model == model), None)
        if file is None or model not in self._watched or not self._watched[model].policy.waiting:
            return
        try:
            if not in_force(file, self._outside.store).waits:
                with self._reloading:
                    self._exchange(self._configured)
                _log.info("its file was approved and is in force", extra={"model": model})
        except ModelmonError as error:
            _log.warning("approvals are looked for again: %s", error, extra={"model": model})

    def _app(self) -> ASGIApp:
        process = ProcessMetrics(self._vitals, self._page)
        may_ask = self._configured.settings.reload
        library = Library(
            models=lambda: {name: item.shot for name, item in self._exported.copy().items()},
            store=self._outside.store,
            read_policy=policy_of_text,
            line_of=line_of_key,
            now=self._outside.clock.now,
            lost=lambda: self._health.lost,
        )
        reload = (lambda: str(self.reload())) if may_ask else None
        settings = self._configured.settings
        access, count = access_store(settings), self._vitals.count_answer
        api = api_of(settings.access, library, access, code_version(), count)
        further = self._hints()
        rest = create_app(
            self._page, process, self._health, library, reload, api=api, further=further
        )
        return answering_to_its_names(self._gatehouse.before(rest, api.door), settings)

    def _hints(self) -> list[Route]:
        """Return where the registry may say that it has changed."""
        settings = self._configured.settings.registry
        if self._rounds is None or settings is None or not settings.webhook_secret:
            return []
        deliveries = Deliveries(settings.webhook_secret, self._outside.clock.now)
        return [webhook_route(deliveries, self._rounds.ask)]

    def _hung_up(self) -> None:
        with suppress(ModelmonError):  # refused: logged, and a series says so
            self.reload()

    def _reload(self) -> ConfigChange:
        try:
            after = self._files.read_again(self._configured)
            change = change_between(self._configured, after)
            self._exchange(after)
        except ModelmonError as error:
            self._vitals.refused()
            _log.error("configuration refused, the one in force stays:\n%s", error)
            raise
        before, self._configured = self._configured, after
        if (before.settings.log_level, before.settings.log_format) != (
            after.settings.log_level,
            after.settings.log_format,
        ):
            log_as(after.settings, self._vitals)
        self._note_configured()
        news.configuration_loaded(change, after)
        return change

    def _status(self) -> str:
        at = self._vitals.configuration
        newest = "" if at is None or at.successful else "; a newer configuration was refused"
        number = len(self._watched)
        return f"{number} model{'' if number == 1 else 's'}{newest}"

    def _note_configured(self) -> None:
        for name, item in self._watched.items():
            if item.policy.waiting:
                _log.warning("its file is looser, and waits for approval", extra={"model": name})
        now = self._outside.clock.now()
        self._vitals.configured(Configuration(self._configured.digest, now))

    def _exchange(self, after: Configured) -> None:
        """Exchange the models, their results on the page and their checks."""
        with self._publishing:
            # What can fail comes before anything is exchanged. Nothing is published meanwhile.
            watched = {file.model: self._still_or_anew(file) for file in after.policies}
            changed = [
                name for name, item in watched.items() if item is not self._watched.get(name)
            ]
            most = self._configured.settings.max_series_per_model
            anew = changed if after.settings.max_series_per_model == most else list(watched)
            changes, size = self._outside.store.changes(), self._outside.store.size()
            fresh = {name: self._export(watched[name].policy, after.settings) for name in anew}
            self._exported = {name: fresh.get(name) or self._exported[name] for name in watched}
            self._shown |= {name: changes.get(name, 0) for name in anew}
            self._watched = watched
            self._vitals.watch(watched)
            self._size = size
            self._exchange_page()
        self._schedule.exchange(dict.fromkeys(watched, after.settings.check_every), changed)

    def _still_or_anew(self, file: Policy) -> Watched:
        """Return the model as it is watched if its policy is the same, else one to watch anew."""
        policy, now = in_force(file, self._outside.store).policy, self._watched.get(file.model)
        same = now is not None and _known_by(now.policy) == _known_by(policy)
        return now if now is not None and same else Watched(policy, self._outside.clock)

    def _export(self, policy: Policy, settings: DaemonSettings) -> Exported:
        """Return what is shown of a model: only of one that has changed is it written anew."""
        shown = snapshot(policy, self._outside)
        lines = render_model(shown, measure_families(), settings.max_series_per_model)
        return Exported(shown, lines)

    def _exchange_page(self) -> None:
        lines = {name: item.lines for name, item in self._exported.items()}
        results = page_of(lines, Build(code_version()), self._size)
        self._page.publish(results, self._outside.clock.now())

    def _check(self, model: str, term: Term, outside: Outside) -> None:
        """Run what is due; go on under the new policy when it is exchanged meanwhile."""
        watched = self._in_term(model, term)
        while watched is not None:
            self._check_once(watched, term, outside)
            before, watched = watched, self._watched.get(model)
            if watched is before or self._is_over(term):
                return

    def _in_term(self, model: str, term: Term) -> Watched | None:
        """Return a model, with nothing remembered of an earlier term: others have led since."""
        with self._publishing:
            watched = self._watched.get(model)
            if watched is not None and watched.term != term:
                watched = replace(watched, term=term, lookback=Lookback())
                self._watched[model] = watched
            return watched

    def _is_stopping(self) -> bool:
        return self._schedule.stopping.is_set()

    def _is_over(self, term: Term) -> bool:
        return self._is_stopping() or self._leadership.term != term

    def _check_once(self, watched: Watched, term: Term, outside: Outside) -> None:
        model = watched.policy.model
        before, could = outside.store.quarantine(model), outside.store.standings(model)
        try:
            self._run_due(watched, term, outside)
        finally:
            after, can = outside.store.quarantine(model), outside.store.standings(model)
            news.quarantine_changed(before, after)
            news.standings_changed(could, can)
            if (after, can) != (before, could):
                self.publish([model])

    def _run_due(self, watched: Watched, term: Term, outside: Outside) -> None:
        policy, lookback = watched.policy, watched.lookback
        for ran in check_due(policy, watched.source, outside, Silent(), lookback):
            news.window_run(ran)
            self.publish([policy.model])
            self._schedule.pass_on()
            if self._watched.get(policy.model) is not watched or self._is_over(term):
                return
        self._vitals.looked_back(policy.model, len(lookback.closed), lookback.late_files)
        for change in lookback.told():
            news.came_too_late(policy.model, change)


def log_as(settings: DaemonSettings, vitals: Vitals) -> None:
    """Log to standard error as the settings say, and count every message."""
    as_json = settings.log_format == "json"
    logs.configure(settings.log_level, sys.stderr, vitals.count_message, as_json=as_json)
