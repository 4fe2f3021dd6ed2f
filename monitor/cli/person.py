"""Who decides what a command stores."""

import getpass
import os
import pwd
from datetime import datetime
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from monitor.engine.decisions import Said
    from monitor.governance.authorisation import Who

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


def _own_user() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a user without a name, as in containers
        return ""
