"""The section ``audit`` of the daemon's file: who signs the log, and who else keeps what it was."""

from collections import Counter
from urllib.parse import urlsplit

from pydantic import Field

from monitor.config.document import Document
from monitor.config.section import Section
from monitor.config.values import Text
from monitor.domain.errors import Problem
from monitor.domain.settings import DaemonSettings
from monitor.governance.cosignature import witness_key_of
from monitor.governance.note import NoteError


class WitnessSection(Section):
    """A witness that cosigns checkpoints, as c2sp.org/tlog-witness has it."""

    url: Text = Field(description="where it is, such as https://witness.example.org")
    key: Text = Field(description="its public key, NAME+ID+KEY, as whoever runs it publishes it")


class AuditSection(Section):
    """How the audit log is signed, and who else keeps its checkpoints."""

    key: Text | None = Field(
        None,
        description="file with the key that signs the audit log, relative to this file;"
        " modelmon audit init makes one",
    )
    witness: Text | None = Field(
        None,
        description="file that keeps the signed checkpoints, relative to this file: best on another"
        " machine than the database",
    )
    stdout: bool = Field(
        default=False,
        description="whether the daemon writes each signed checkpoint to its standard output, as a"
        " line of JSON for what collects it",
    )
    witnesses: list[WitnessSection] = Field(
        [], description="witnesses over HTTP that cosign each checkpoint"
    )


def audit_problems(document: Document, section: AuditSection) -> list[Problem]:
    """Return what is wrong with the witnesses of a file."""
    unsigned = section.key is None
    found, names = list[Problem](), Counter[str]()
    for number, each in enumerate(section.witnesses):
        at = ("audit", "witnesses", number)
        parts = urlsplit(each.url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            right = "is no address; right would be https://witness.example.org"
            found.append(document.problem((*at, "url"), right))
        try:
            names[witness_key_of(each.key).name] += 1
        except NoteError as error:
            found.append(document.problem((*at, "key"), str(error)))
    found += [
        document.problem(("audit", "witnesses"), f"{name} is named {times} times; right is once")
        for name, times in names.items()
        if times > 1
    ]
    if section.stdout and unsigned:
        needed = "has nothing to write: the log is signed where audit.key names a file"
        found.append(document.problem(("audit", "stdout"), needed))
    if section.witnesses and unsigned:
        needed = "have nothing to cosign: the log is signed where audit.key names a file"
        found.append(document.problem(("audit", "witnesses"), needed))
    return found


def audit_content(settings: DaemonSettings) -> dict[str, object]:
    """Return the section of settings, without what was not said."""
    witnesses = [{"url": url, "key": key} for url, key in settings.audit_witnesses]
    section = {
        "key": settings.audit_key,
        "witness": settings.audit_witness,
        "stdout": settings.audit_stdout or None,
        "witnesses": witnesses or None,
    }
    return {name: value for name, value in section.items() if value is not None}
