"""The models, the store and the digests that commands about authority share."""

import json
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from re import fullmatch
from typing import TYPE_CHECKING

import click

from monitor.cli.output import say
from monitor.cli.selection import chosen

if TYPE_CHECKING:
    from monitor.domain.policy import Policy
    from monitor.engine.ports import Store
    from monitor.governance.ledger import Change
    from monitor.governance.receipt import Receipt

why_option = click.option("--why", required=True, help="The reason; kept for good.")
model_argument = click.argument("model")
models_option = click.option(
    "--model", "models", multiple=True, help="Only of this model; may be repeated."
)
existing_file = click.Path(exists=True, dir_okay=False, path_type=Path)


def to_write(config_file: Path, model: str) -> "tuple[Policy, Store]":
    """Return a model's policy in force and the store, to decide something about it.

    What is written is told on standard output: the receipt of its records, one line of JSON. An edited file that waits for its approvals does not say who may approve.

    Raises:
        click.UsageError: There is no such model.
    """
    from monitor import app

    settings = app.read_settings(config_file)
    (file,) = chosen(app.read_policies(settings), [model])
    store = app.open_store(settings.store_url, app.auditing(settings))
    return app.in_force(file, store).policy, store.receipting(_hand_out)


def _hand_out(receipt: "Receipt") -> None:
    click.echo(json.dumps(receipt.document, ensure_ascii=False))
    first, last = (receipt.proved[place].record.sequence for place in (0, -1))
    named = f"record {first}" if first == last else f"records {first} to {last}"
    if receipt.checkpoint is None:
        say(f"modelmon: {named} of the audit log, which is not signed: this proves nothing")
    else:
        say(f"modelmon: the line on standard output is the receipt of {named}: keep it")


def to_agree(config_file: Path, model: str) -> "tuple[Policy, Store]":
    """Return what `to_write` does, after a look at the files that an approval rests on.

    Raises:
        click.UsageError: There is no such model.
    """
    from monitor import app
    from monitor.engine.evidence import look_at_files
    from monitor.sources.evidence import LocalFiles

    policy, store = to_write(config_file, model)
    look_at_files(policy, store, LocalFiles(), app.SystemClock().now())
    return policy, store


def to_look(config_file: Path, models: Sequence[str]) -> "tuple[tuple[Policy, ...], Store]":
    """Return the policies in force of some models, or of all, and the store; to look needs no key."""
    from monitor import app

    settings = app.read_settings(config_file)
    files = chosen(app.read_policies(settings), models)
    store = app.open_store(settings.store_url)
    return tuple(app.in_force(file, store).policy for file in files), store


def a_digest(_: click.Context, option: click.Parameter, said: str | None) -> str | None:
    """Return a digest that somebody named.

    Raises:
        click.BadParameter: It is none, or cut off.
    """
    from monitor.governance.submission import DIGEST

    if said is not None and not fullmatch(DIGEST, said):
        raise click.BadParameter(
            f"{said!r} is no whole digest; right would be sha256: and the 64 digits of sha256sum",
            param=option,
        )
    return said


def digest_of(path: Path) -> str:
    """Return the digest of a file, as a request names it.

    Raises:
        click.UsageError: It cannot be read.
    """
    try:
        return f"sha256:{sha256(path.read_bytes()).hexdigest()}"
    except OSError as error:
        raise click.UsageError(f"{path} cannot be read: {error.strerror or error}") from error


def tell(changes: "Sequence[Change]") -> None:
    """Tell what has changed."""
    from monitor.reports.authority import told

    for line in told(changes):
        say(f"modelmon: {line}")
