"""Errors, one class for each person who must act."""

from msgspec import Struct


class ModelmonError(Exception):
    """Anything that modelmon itself reports as wrong."""


class Problem(Struct, frozen=True):
    """One thing wrong in a configuration file, and what would be right.

    Attributes:
        file: The file as the user named it.
        line: 1-based line.
        column: 1-based column.
        key: Dotted path of the key, for instance ``limits.drift.psi.warning``; "" for the document.
        message: What is wrong and what would be right.
    """

    file: str
    line: int
    column: int
    key: str
    message: str

    def __str__(self) -> str:
        """Return ``file:line:column: key: message``, the form editors can jump to."""
        where = f"{self.file}:{self.line}:{self.column}"
        return f"{where}: {self.key}: {self.message}" if self.key else f"{where}: {self.message}"


class ConfigError(ModelmonError):
    """The author of the YAML must act. Carries every problem found, not the first."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        super().__init__("\n".join(str(problem) for problem in problems))


class SourceError(ModelmonError):
    """Logs or labels could not be read.

    Attributes:
        retryable: Whether the same read may succeed later without anybody's help.
    """

    def __init__(self, message: str, *, retryable: bool = False) -> None:
        self.retryable = retryable
        super().__init__(message)


class StoreError(ModelmonError):
    """The database is unreachable, of another schema, or refused a write."""


class FencedError(StoreError):
    """A write of a replica that no longer leads was refused; nobody needs to act."""


class PrunedError(StoreError):
    """A result was asked for, or would be made, of a time whose results were pruned."""


class UnreadablePolicyError(StoreError):
    """A stored policy is of a form that this version of the program does not know."""


class AuditError(StoreError):
    """The audit log would not be what was seen of it: a person must decide before any write."""


class RegistryError(ModelmonError):
    """A model registry could not be asked or did not do what it was told; the SRE must look why.

    Attributes:
        retryable: Whether the same may succeed later without anybody's help.
    """

    def __init__(self, message: str, *, retryable: bool = False) -> None:
        self.retryable = retryable
        super().__init__(message)


class WitnessError(ModelmonError):
    """Whoever keeps what the audit log was could not be asked, or keeps something else."""


class WorkerCrashedError(ModelmonError):
    """A worker process died before it had a result; the SRE must look why."""


class WorkerMemoryError(ModelmonError):
    """A worker process needed more memory than it may have; the SRE must give it more."""


class RefusedError(ModelmonError):
    """What somebody asked for cannot be done as things are. Carries every reason, not the first."""

    def __init__(self, reasons: tuple[str, ...]) -> None:
        self.reasons = reasons
        super().__init__("; ".join(reasons))


class BaselineError(ModelmonError):
    """A baseline is missing or cannot be registered; the model owner must act."""


class ReportError(ModelmonError):
    """A report cannot be written in this form here, or a file is no report."""
