"""Which finding a command is about."""

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from monitor.domain.reading import Subject
    from monitor.engine.ports import Store

LISTED = 5
"""Findings that are named when the digits given are those of several."""


def full_fingerprint(store: "Store", begin: str, otherwise: str = "no finding: ") -> str:
    """Return the one fingerprint that begins so.

    Args:
        store: Has the findings.
        begin: The first digits.
        otherwise: What else the digits might have been, and are not.

    Raises:
        click.UsageError: There is none, or there are several.
    """
    from monitor.engine.why import about

    known = store.fingerprints(begin, LISTED + 1) if begin else ()
    if not known:
        raise click.UsageError(
            f"{begin} is {otherwise}no stored finding's fingerprint begins so; "
            "modelmon explain MODEL lists those of a window"
        )
    if len(known) > 1:
        listed = "\n".join(f"  {item}  {_named(*about(store, item))}" for item in known[:LISTED])
        more = "\n  …" * (len(known) > LISTED)
        raise click.UsageError(f"several findings begin with {begin}:\n{listed}{more}")
    return known[0]


def _named(measure: str, subject: "Subject") -> str:
    return f"{measure} of {subject}, version {subject.version or '–'} of {subject.model}"
