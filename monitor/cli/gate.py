"""``modelmon gate``: ask whether a version may act, and keep to the answer."""

import json
import signal
import threading
import time
from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from monitor.cli.files import write_whole
from monitor.cli.job import Job, SignalsHandedOn
from monitor.cli.output import Output, output_option, say, write_document, write_tables
from monitor.domain.errors import ModelmonError
from monitor.reports.table import Table

if TYPE_CHECKING:
    from monitor.gate import Decision, Gate

REFUSED = 75
"""The exit code of a job that may not run now: EX_TEMPFAIL, so that schedulers try it again."""


@click.group()
def gate() -> None:
    """Ask whether a version may act, and keep to the answer."""


@gate.command("init")
@click.option("--key", "path", required=True, type=click.Path(path_type=Path), help="New file.")
@click.option("--name", default="gate", show_default=True, help="Name of the key.")
@click.pass_obj
def init(config_file: Path, path: Path, name: str) -> None:
    """Make the key that signs permits, and print the key set that they are checked by."""
    from monitor.governance.jws import key_set
    from monitor.governance.note import NoteError, new_signing_key
    from monitor.store.keys import write_key

    try:
        key = new_signing_key(name)
        shown = key_set([key.verifying])
    except NoteError as error:
        raise click.UsageError(str(error)) from error
    write_key(path, key)
    say(f"modelmon: write into {config_file}:\ngate:\n  key: {path.absolute()}")
    click.echo(json.dumps(shown))


def _asking(command: Callable[..., int]) -> Callable[..., int]:
    """Give a command the gate of a model's version, and the options that say where it is asked."""

    @wraps(command)
    def asking(
        *,
        model: str,
        version: str,
        url: str,
        keys: Path | None,
        token_file: Path | None,
        **rest: Any,
    ) -> int:
        return command(_gate(url, model, version, keys, token_file), **rest)

    asked: Callable[..., int] = asking
    options = (
        click.argument("model"),
        click.argument("version"),
        click.option(
            "--url",
            default="http://127.0.0.1:9108",
            show_default=True,
            envvar="MODELMON_GATE_URL",
            help="The daemon.",
        ),
        click.option(
            "--keys",
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            envvar="MODELMON_GATE_KEYS",
            help="Key set to check permits by, as /v1/keys shows it; else the daemon is asked for it.",
        ),
        click.option(
            "--token-file",
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            help="File with the token to send, where the daemon wants one.",
        ),
    )
    for option in reversed(options):
        asked = option(asked)
    return asked


@gate.command("check")
@_asking
@output_option
def check(
    asked: "Gate",
    output: Output,
) -> int:
    """Ask once, and show the answer. The exit code is 0 when the version may act, and 1 when not."""
    decision = asked.decide()
    if output == "json":
        write_document(_document(decision))
    else:
        write_tables([_table(asked, decision)], output)
    return int(not decision.allowed)


@gate.command("exec", context_settings={"ignore_unknown_options": True})
@_asking
@click.option(
    "--keeps-conditions",
    is_flag=True,
    help="The command keeps conditions: it finds them in MODELMON_CONDITIONS.",
)
@click.option(
    "--let-run",
    is_flag=True,
    help="Let a command that has begun end, whatever is decided meanwhile.",
)
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def execute(
    asked: "Gate",
    command: tuple[str, ...],
    *,
    keeps_conditions: bool,
    let_run: bool,
) -> int:
    """Run a command while the version may act.

    Where it may not, nothing is run and the exit code is 75. Where it no longer may, or no longer
    within the conditions that the command was given, the command and all that it has started get
    SIGTERM, ten seconds later SIGKILL, and the exit code is 75; otherwise it is the command's.
    """
    decision = asked.decide()
    if not decision.allowed or (decision.conditions and not keeps_conditions):
        say(f"modelmon: {asked} may not act: {decision}")
        return REFUSED
    told = {
        "MODELMON_PERMIT": asked.document.decode(),
        "MODELMON_CONDITIONS": json.dumps(dict(decision.conditions)),
    }
    with SignalsHandedOn() as signals:
        try:
            job = Job(command, told)
        except OSError as error:
            raise click.UsageError(f"{command[0]} cannot be run: {error.strerror}") from error
        signals.to(job)
        watched = _Watched(job, decision.conditions)
        if not let_run:
            watched.watch(asked)
        with job.before_the_terminal():
            code = job.wait()
    asked.close()
    if watched.stopped is None:
        return code
    say(f"modelmon: {asked} may no longer act, and was stopped: {watched.stopped}")
    return REFUSED


@gate.command("sync")
@_asking
@click.option(
    "--out",
    "path",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="File that holds the newest permit.",
)
@click.option("--once", is_flag=True, help="Write it once and end.")
def sync(
    asked: "Gate",
    path: Path,
    *,
    once: bool,
) -> int:
    """Keep the newest permit in a file, for programs of any language.

    The file is exchanged whole. When the daemon cannot be asked it stays as it is and lapses: who
    reads it looks at exp, stale_until and on_expiry. The exit code with --once is 0 when the
    version may act, and 1 when not.
    """
    if once:
        decision = asked.decide()
        if not asked.document:
            raise _NoPermitError(str(decision))
        write_whole(path, asked.document)
        return int(not decision.allowed)
    written, ended = b"", threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    asked.follow(lambda decision: say(f"modelmon: {asked}: {decision}"))
    while not ended.wait(_LOOK):
        if asked.document != written:
            written = asked.document
            write_whole(path, written)
    asked.close()
    return 0


_LOOK = 0.2


class _NoPermitError(ModelmonError):
    """There is no permit to write."""


class _Watched:
    """A job, and whoever ends it when its version no longer may act as it was told.

    Args:
        job: The job.
        given: The conditions that it was given: it cannot be told of others.
    """

    def __init__(self, job: Job, given: Mapping[str, float]) -> None:
        self._job = job
        self._given = given
        self._lock = threading.Lock()
        self.stopped: Decision | None = None

    def watch(self, asked: "Gate") -> None:
        """Begin to watch: changes are told at once, and that a permit lapses once a second."""
        asked.follow(self._look)
        threading.Thread(target=self._lapse, args=(asked,), daemon=True).start()

    def _lapse(self, asked: "Gate") -> None:
        while self._job.running:
            self._look(asked.decide())
            time.sleep(1)

    def _look(self, decision: "Decision") -> None:
        with self._lock:
            kept = _is_within(self._given, decision.conditions)
            if (decision.allowed and kept) or self.stopped is not None or not self._job.running:
                return
            self.stopped = decision
            self._job.end()


def _is_within(given: Mapping[str, float], wanted: Mapping[str, float]) -> bool:
    """Return whether who keeps the conditions that were given keeps those that are wanted."""
    return all(
        name in given and (given[name] >= bound if name == _SHARE else given[name] <= bound)
        for name, bound in wanted.items()
    )


def _gate(url: str, model: str, version: str, keys: Path | None, token_file: Path | None) -> "Gate":
    from monitor.gate import Gate, GateError

    try:
        known = None if keys is None else json.loads(keys.read_text(encoding="utf-8"))
        token = "" if token_file is None else token_file.read_text(encoding="ascii").strip()
        return Gate(url, model, version, keys=known, token=token)
    except GateError as error:
        raise click.UsageError(f"{keys}: {error}") from error
    except (ValueError, OSError) as error:
        raise click.UsageError(str(error)) from error


def _document(decision: "Decision") -> dict[str, Any]:
    return {
        "allowed": decision.allowed,
        "action": decision.action,
        "freshness": decision.freshness.value,
        "conditions": dict(decision.conditions),
        "reasons": list(decision.reasons),
        "permit": dict(decision.permit),
    }


def _table(asked: "Gate", decision: "Decision") -> Table:
    rows = [
        ("may act", "yes" if decision.allowed else "no"),
        ("told", decision.action),
        *(
            (f"{name} at most" if name != _SHARE else "people see at least", f"{bound:g}")
            for name, bound in decision.conditions.items()
        ),
        *(("because", reason) for reason in decision.reasons),
    ]
    return Table(str(asked), ("", " "), tuple(rows))


_SHARE = "human_review_share"
