"""Who decides what a command stores."""

import getpass
import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from monitor.engine.decisions import Said
    from monitor.governance.authorisation import Action, Who

by_option = click.option(
    "--by", default=getpass.getuser, show_default="the user", help="Who decides it."
)


def somebody(by: str, at: datetime) -> "Who":
    """Return who says that they decide.

    The operating system vouches for the user that the process runs as, and for nobody else.
    """
    from monitor.governance.authorisation import Method, Who

    return Who(by, Method.CLI, authenticated_at=at if by == _own_user() else None)


def said(by: str, why: str) -> "Said":
    """Return who decides now, and why."""
    from monitor import app
    from monitor.engine.decisions import Said

    now = app.SystemClock().now()
    return Said(somebody(by, now), now, why)


def configuring(by: str) -> datetime:
    """Return when somebody does what only whoever administers the daemon may.

    At the machine that is whoever is there; it is asked where everything else is.

    Raises:
        NotAllowedError: They may not.
    """
    from monitor import app
    from monitor.governance.authorisation import Action, authorise

    now = app.SystemClock().now()
    authorise(somebody(by, now), Action.CONFIGURE, None, now)
    return now


@contextmanager
def refusals_recorded(
    config_file: Path, who: "Who", action: "Action", model: str, at: datetime
) -> Iterator[None]:
    """Have the audit log tell when somebody may not do what a command is about to do.

    Args:
        config_file: The daemon's file.
        who: Who wants it.
        action: What.
        model: The model that it is about; "" for none.
        at: When.
    """
    from monitor import app
    from monitor.engine.decisions import refusal
    from monitor.governance.approvals import NotAllowedError

    try:
        yield
    except NotAllowedError as error:
        app.access_store(app.read_settings(config_file)).denied(
            refusal(who, action, model, error, at)
        )
        raise


def _own_user() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a user without a name, as in containers
        return ""
