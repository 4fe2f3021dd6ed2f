"""What was measured on what, in which window."""

from msgspec import Struct

from monitor.domain.estimate import Result


class Subject(Struct, frozen=True):
    """What is measured: a model version, and within it a field or a group of a population.

    Attributes:
        model: Name of the model.
        version: The version whose rows were measured; "" for the log as a whole.
        field: Name of the field, or "" when the subject is not a field.
        population: Name of the population (``sex``, ``sex × race``), or "".
        group: Name of the group within the population, or "".
        reference_group: The group it is held against, or "".
        segment: Name of the segment whose slice is meant; "" for all rows.
        segment_value: Name of the slice within the segment, or "".
        reference: Name of the reference it is held against; "" for the registered baseline.
        stratum: Name of the factor within whose strata groups are compared; "" for all rows at once.
        class_name: The class that is held against all others, where the model chooses one of several;
            "" for what it decides.
    """

    model: str
    version: str = ""
    field: str = ""
    population: str = ""
    group: str = ""
    reference_group: str = ""
    reference: str = ""
    segment: str = ""
    segment_value: str = ""
    stratum: str = ""
    class_name: str = ""

    @property
    def scanned(self) -> bool:
        """Return whether it is one of all slices of a segment, held against itself as it was."""
        return bool(self.segment) and not self.reference

    def __str__(self) -> str:
        """Return the subject in words, most specific part first; no two subjects of a version alike."""
        group = f"{self.population}={self.group}" if self.group else self.population
        what = group or self.field or self.model
        if self.stratum:
            what += f" within {self.stratum}"
        if self.class_name:
            what += f", {self.class_name} against the rest"
        if self.segment:
            what += f", {self.segment}={self.segment_value}"
        return f"{what}, against {self.reference}" if self.reference else what


class Reading(Struct, frozen=True):
    """One estimate, or the reason for its absence, of one measure for one subject."""

    measure: str
    subject: Subject
    result: Result
