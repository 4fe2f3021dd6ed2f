"""What the daemon logs of its work, in sentences."""

import logging
from collections.abc import Mapping

from monitor.config.files import SHOWN, ConfigChange, Configured
from monitor.domain.manifest import LateChange
from monitor.domain.quarantine import QuarantinedFile
from monitor.engine.run import Ran
from monitor.governance.standing import Standing
from monitor.reports.summary import worst
from monitor.reports.wording import all_findings

NAMED = 10
"""Files of a check that came into quarantine or left it that are logged by name."""

_log = logging.getLogger("modelmon")


def configuration_loaded(change: ConfigChange, after: Configured) -> None:
    """Log what is in force from now on: a line a model, with the diff of its policy."""
    _log.info(
        "configuration loaded: %d models, %d changed, digest %s",
        len(after.policies),
        len(change.models),
        after.digest[:SHOWN],
    )
    for item in change.models:
        _log.info("%s", item, extra={"model": item.model})
    if change.settings:
        _log.info("settings changed\n%s", "\n".join(change.settings))


def quarantine_changed(
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


def standings_changed(before: Mapping[str, Standing], after: Mapping[str, Standing]) -> None:
    """Log which versions may do less or more than before, and why."""
    for version, now in after.items():
        was = before.get(version)
        if was is not None and was != now:
            told = f"version {version}: {was.state}, now {now.state}: {now.reason}"
            _log.warning("%s", told, extra={"model": now.model})


def window_run(ran: Ran) -> None:
    """Log what came of a window."""
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


def came_too_late(model: str, change: LateChange) -> None:
    """Log what changed in the log of a window that keeps its result."""
    _log.warning(
        "%s keeps its result; since then %s",
        change.window,
        change,
        extra={"model": model, "window": change.window},
    )
