"""``modelmon audit``: sign, verify, prove, export and recover the audit log."""

import json
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitor.cli.output import Output, output_option, say, write_document, write_tables
from monitor.cli.person import by_option, configuring, refusals_recorded, said
from monitor.cli.selection import chosen
from monitor.domain.errors import ModelmonError

if TYPE_CHECKING:
    from monitor.governance.note import SigningKey
    from monitor.governance.verification import Sighting


@click.group()
def audit() -> None:
    """Sign, verify, export and recover the audit log."""


@audit.command("init")
@click.option("--key", "path", required=True, type=click.Path(path_type=Path), help="New file.")
@click.option("--origin", default=None, help="Name of the log, such as monitor.example.org/prod.")
@by_option
@click.pass_obj
def init(config_file: Path, path: Path, origin: str | None, by: str) -> None:
    """Make a key, and sign the log from here on.

    The key's name is the log's origin. A log that was begun without a key has an origin already.
    """
    from monitor import app
    from monitor.governance.note import new_signing_key
    from monitor.governance.record import Actor

    settings, now = app.read_settings(config_file), configuring(by)
    store = app.audit_store(settings)
    logs = store.logs()
    if logs and origin not in {None, logs[-1].origin}:
        raise click.UsageError(
            f"the log is there already, and keeps its name, {logs[-1].origin}: leave --origin out"
        )
    if not logs and origin is None:
        raise click.UsageError("a new log needs a name: --origin monitor.example.org/prod")
    key = new_signing_key(logs[-1].origin if logs else str(origin))
    with _kept(path, key):
        signed = store.sign((key,), Actor(by, "cli"), now)
    app.keep_checkpoint(settings, signed)
    say(f"modelmon: the audit log {key.name} is signed from here on")
    say(f"modelmon: write into {config_file}:\naudit:\n  key: {path.absolute()}")
    click.echo(str(key.verifying))


@audit.command("rotate")
@click.option("--key", "path", required=True, type=click.Path(path_type=Path), help="New file.")
@by_option
@click.pass_obj
def rotate(config_file: Path, path: Path, by: str) -> None:
    """Make another key, and sign the log with it from here on; both sign the change."""
    from monitor import app
    from monitor.governance.note import new_signing_key
    from monitor.governance.record import Actor

    settings, now = app.read_settings(config_file), configuring(by)
    old = app.auditing(settings).key
    if old is None:
        raise click.UsageError("no key signs the log: set audit.key, or modelmon audit init")
    new = new_signing_key(old.name)
    store = app.audit_store(settings)
    with _kept(path, new):
        signed = store.sign((old, new), Actor(by, "cli"), now)
    app.keep_checkpoint(settings, signed)
    say(f"modelmon: write into {config_file}:\naudit:\n  key: {path.absolute()}")
    click.echo(str(new.verifying))


def _duration(_: click.Context, __: click.Parameter, text: str) -> timedelta:
    from monitor.config.values import parse_duration

    try:
        return parse_duration(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


@audit.command("verify")
@click.option(
    "--trusted",
    type=click.Path(path_type=Path, exists=True),
    multiple=True,
    help="File with checkpoints that was kept elsewhere, or the daemon's collected output.",
)
@click.option(
    "--prometheus", "addresses", multiple=True, help="Prometheus that scrapes this daemon: its URL."
)
@click.option(
    "--over",
    default="30d",
    show_default=True,
    callback=_duration,
    help="How far back Prometheus is asked.",
)
@click.option(
    "--samples",
    type=click.Path(path_type=Path, exists=True),
    multiple=True,
    help="File of samples: what Prometheus' API answered, or a saved page of /metrics.",
)
@output_option
@click.pass_obj
def verify(  # noqa: PLR0917  # one argument an option
    config_file: Path,
    trusted: tuple[Path, ...],
    addresses: tuple[str, ...],
    over: timedelta,
    samples: tuple[Path, ...],
    output: Output,
) -> int:
    """Examine every log of the store, and hold the store against the newest.

    Times of more than an hour and five minutes without a record, in a log that a daemon keeps, are
    told, with whether the daemon had been told to end. They are nothing that is wrong with the log.

    A Prometheus that scrapes the daemon keeps the size and the root of the log: what it has stored
    is held against the records as well. The exit code is 0 when nothing is wrong and 1 when
    something is. Run it where the store's administrator has no say, on an export, with
    modelmon-audit-verify.
    """
    from monitor import app
    from monitor.governance.cosignature import witness_key_of
    from monitor.governance.silence import silences
    from monitor.governance.verification import cosigned, examine_log, of_log, seen_of_log
    from monitor.reports.audit import audit_document, audit_tables

    settings = app.read_settings(config_file)
    store = app.audit_store(settings)
    kept = app.kept_checkpoints(settings, trusted)
    seen = _sightings(addresses, over, samples, app.SystemClock().now())
    keys = tuple(witness_key_of(key) for _, key in settings.audit_witnesses)
    logs, now = store.logs(), app.SystemClock().now()
    examined = [
        (
            log,
            examine_log(
                log,
                [*of_log(kept, log.origin), *cosigned(log, keys)],
                seen_of_log(seen, log.origin),
            ),
        )
        for log in logs
    ]
    silent = {log.origin: silences(log.bodies, now if log is logs[-1] else None) for log in logs}
    if not examined:
        raise click.UsageError("the store has no audit log yet: nothing was written to it")
    _require_own(seen, {log.origin for log, _ in examined})
    flaws = store.compared()
    if output == "json":
        write_document(audit_document(examined, flaws, silent))
    else:
        write_tables(audit_tables(examined, flaws, silent), output)
    return int(bool(flaws) or any(found.flaws for _, found in examined))


@audit.command("replay")
@click.option("--restore", is_flag=True, help="Put back what was recorded, and record that.")
@click.option("--why", default="", help="With --restore: what has happened.")
@by_option
@click.pass_obj
def replay(config_file: Path, by: str, why: str, *, restore: bool) -> int:
    """Add up the log anew, and compare with what is stored of versions, requests, cases, waivers.

    The exit code is 0 when both are the same and 1 with every difference: somebody has changed what
    a version may do past the log, and the gate denies every version of the model. With --restore
    what was recorded is put back, unless the log is in doubt as well, and the exit code is 0.
    """
    from monitor import app
    from monitor.governance.record import Actor

    if restore and not why.strip():
        raise click.UsageError("--restore needs --why: what has happened")
    settings = app.read_settings(config_file)
    store = app.audit_store(settings)
    entries, differ = store.replayed()
    for line in differ:
        click.echo(line)
    found = f"{len(differ)} {'difference' if len(differ) == 1 else 'differences'}"
    same = found if differ else "what is stored is the same"
    say(f"modelmon: {entries:,} entries recorded in the audit log; {same}")
    if not restore:
        return int(bool(differ))
    signed = store.restore(Actor(by, "cli"), why, configuring(by), app.auditing(settings))
    for each in () if signed is None else signed.records:
        say(f"modelmon: {each.event.subject} is as it was recorded; record {each.sequence} says so")
    return 0


@audit.command("export")
@click.option("-o", "--output", "path", type=click.Path(path_type=Path), help="[default: stdout]")
@click.pass_obj
def export(config_file: Path, path: Path | None) -> None:
    """Write every record, checkpoint and person's words as JSON lines, for modelmon-audit-verify."""
    from monitor import app

    store = app.audit_store(app.read_settings(config_file))
    documents: list[dict[str, str]] = []
    for log in store.logs():
        documents.append({"log": log.origin, "key": str(log.verifying_key or "")})
        documents += [{"record": body.decode()} for body in log.bodies]
        documents += [{"checkpoint": str(note)} for note in log.checkpoints]
    documents += store.words()
    lines = [json.dumps(document, ensure_ascii=False) for document in documents]
    text = "".join(line + "\n" for line in lines)
    if path is None:
        click.echo(text, nl=False)
    else:
        path.write_text(text, encoding="utf-8")
        say(f"modelmon: {len(lines):,} lines in {path}")


@audit.command("receipt")
@click.argument("record", type=click.IntRange(min=0))
@click.option(
    "--log", "origin", default=None, help="Which log, by its origin. [default: the newest]"
)
@click.pass_obj
def receipt(config_file: Path, record: int, origin: str | None) -> None:
    """Write the receipt of any record: the record, the proof that it is in the log, the checkpoint.

    It is one line of JSON, as for what somebody decides, and is verified anywhere by
    modelmon-audit-verify --receipt. RECORD is its number in the log.
    """
    from monitor import app

    found = app.access_store(app.read_settings(config_file)).log.receipt(record, origin)
    if found is None:
        raise click.UsageError(f"{origin or 'the newest audit log'} has no record {record}")
    click.echo(json.dumps(found.document, ensure_ascii=False))
    if found.checkpoint is None:
        say("modelmon: the log is not signed: the receipt proves nothing")


@audit.command("erase")
@click.argument("model")
@click.argument("record", type=int)
@click.option("--why", required=True, help="On what ground, such as the number of a request.")
@by_option
@click.pass_obj
def erase(config_file: Path, model: str, record: int, why: str, by: str) -> None:
    """Erase what a person wrote in a record, there and wherever it is shown.

    The log keeps a digest that nobody can lead back to the words, is as whole as before, and has a
    record of the erasure. RECORD is its number in the newest log. What was exported, reported or
    backed up before is not reached.
    """
    from monitor import app
    from monitor.governance.authorisation import Action, authorise

    settings = app.read_settings(config_file)
    (policy,) = chosen(app.read_policies(settings), [model])
    words = said(by, why)
    with refusals_recorded(config_file, words.who, Action.ERASE_WORDS, model, words.at):
        authorise(words.who, Action.ERASE_WORDS, policy, words.at)
    signed = app.audit_store(settings).erase(
        model, record, words.actor, why, words.at, app.auditing(settings)
    )
    (told,) = signed.records
    say(f"modelmon: the words of record {record} are erased; record {told.sequence} says so")


@audit.command("recover")
@click.option("--key", "path", required=True, type=click.Path(path_type=Path), help="New file.")
@click.option("--why", required=True, help="Why the log is not what it was.")
@by_option
@click.pass_obj
def recover(config_file: Path, path: Path, why: str, by: str) -> None:
    """Open another log after one was lost; its first records say what is missing.

    It is for a store that was restored from a backup: its log is shorter than a checkpoint that was
    kept outside, and to go on signing it would be to say two things of one log.
    """
    from monitor import app
    from monitor.governance.note import new_signing_key
    from monitor.governance.record import Actor

    settings, now = app.read_settings(config_file), configuring(by)
    outside = app.auditing(settings).outside
    if outside is None:
        raise click.UsageError("no checkpoint was kept outside: audit.witness names no file")
    store = app.audit_store(settings)
    number = len(store.logs()) + 1
    key = new_signing_key(f"{store.logs()[0].origin}/{number}")
    with _kept(path, key):
        signed = store.recover(outside, key, Actor(by, "cli"), why, now)
    app.keep_checkpoint(settings, signed)
    say(f"modelmon: the audit log goes on as {key.name}")
    say(f"modelmon: write into {config_file}:\naudit:\n  key: {path.absolute()}")
    click.echo(str(key.verifying))


def _sightings(
    addresses: Sequence[str], over: timedelta, samples: Sequence[Path], now: datetime
) -> "list[Sighting]":
    """Return what each Prometheus and each file of samples has seen.

    Raises:
        WitnessError: One of them has nothing to say of any log.
    """
    from monitor.witness.prometheus import sightings_in, sightings_of

    found = [one for url in addresses for one in sightings_of(url, over, now)]
    return found + [one for path in samples for one in sightings_in(path)]


def _require_own(seen: "Sequence[Sighting]", origins: Collection[str]) -> None:
    """Refuse samples of other logs alone: nothing would be compared, and nothing would be wrong."""
    others = {one.checkpoint.origin for one in seen}
    if others and others.isdisjoint(origins):
        told = f"the samples are of {', '.join(sorted(others))}; the store has"
        raise click.UsageError(f"{told} {', '.join(sorted(origins))}")


@contextmanager
def _kept(path: Path, key: "SigningKey") -> Iterator[None]:
    """Write a key to its file first, so that nothing is signed by a key that is lost.

    Where nothing comes to be signed by it, the file goes again.
    """
    from monitor.store.keys import write_key

    write_key(path, key)
    try:
        yield
    except ModelmonError:
        path.unlink()
        raise
