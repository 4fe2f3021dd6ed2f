"""Rules of law and practice that a policy can be set up by, as dated data."""

from msgspec import Struct


class Citation(Struct, frozen=True):
    """Where a rule is written.

    Attributes:
        text: The citation.
        verified: Whether the source was read for the profile; otherwise it is from memory.
    """

    text: str
    verified: bool


class RegulationProfile(Struct, frozen=True):
    """A dated set of defaults for judging disparities, after one rule of law or practice.

    It says how a report is to be worded and what was measured to which rule, never that a rule is
    met: that is a legal judgement.

    Attributes:
        id: Its name in a model's file.
        version: Its number; one whose content changed has another.
        as_of: The day on which it was written, as YYYY-MM-DD.
        digest: sha256 of its content.
        title: What it is after, in words.
        jurisdiction: Where that holds, and for what.
        status: ``in force``, ``deferred``, ``superseded`` or ``practice``.
        sources: Where it is written.
        rule: What it asks for, and what modelmon adds.
        reference: Which group others are held against.
        exclusion: Which groups may be left out of the comparison, and what is shown of them.
        unknown: What becomes of rows whose group is not known.
        required: Sentences that a report after it must have.
        forbidden: Words that a report after it must not use of a result.
    """

    id: str
    version: int
    as_of: str
    digest: str
    title: str
    jurisdiction: str
    status: str
    sources: tuple[Citation, ...]
    rule: str
    reference: str
    exclusion: str
    unknown: str
    required: tuple[str, ...]
    forbidden: tuple[str, ...]

    @property
    def pin(self) -> str:
        """Return what names exactly this content: ``ll144@1+3fa9c1d2e4b5``."""
        return f"{self.id}@{self.version}+{self.digest[:12]}"


class Control(Struct, frozen=True):
    """An instrument that asks something of those who run a model, and what of modelmon serves it.

    Attributes:
        id: Its name.
        title: What it is.
        jurisdiction: Where it holds, and for whom.
        status: ``in force``, ``deferred`` or ``superseded``.
        since: From when on, as YYYY-MM-DD; of a deferred one when it begins.
        until: Until when; "" while it holds.
        note: What to know of its state.
        asks: What it asks for, in short.
        served_by: What modelmon has to show for it.
        verified: Whether the source was read; otherwise it is from memory or from one report.
    """

    id: str
    title: str
    jurisdiction: str
    status: str
    since: str
    until: str
    note: str
    asks: str
    served_by: tuple[str, ...]
    verified: bool


class Controls(Struct, frozen=True):
    """What instruments ask for, as of one day.

    Attributes:
        as_of: The day, as YYYY-MM-DD.
        items: The instruments.
    """

    as_of: str
    items: tuple[Control, ...]
