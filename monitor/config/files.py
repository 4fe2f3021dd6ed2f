"""The daemon's file and the models' files together: in force wholly, or not at all."""

from collections.abc import Mapping
from dataclasses import replace
from difflib import unified_diff
from hashlib import sha256
from pathlib import Path

from msgspec import Struct

from monitor.config.content import policy_as_yaml
from monitor.config.daemon_file import load_settings, needing_restart, settings_as_yaml
from monitor.config.model_file import load_policies
from monitor.domain.errors import ConfigError
from monitor.domain.policy import Policy
from monitor.domain.settings import DaemonSettings

SHOWN = 12
"""Characters of a policy's digest that name it, as in ``modelmon_model_info``."""


class Configured(Struct, frozen=True):
    """What all files say at one time.

    Attributes:
        settings: The daemon's settings.
        policies: The models, in the order of their files.
    """

    settings: DaemonSettings
    policies: tuple[Policy, ...]

    @property
    def digest(self) -> str:
        """Return sha256 over the settings and the digests of the policies, in hexadecimal."""
        digests = sorted(policy.digest for policy in self.policies)
        return sha256("\n".join([settings_as_yaml(self.settings), *digests]).encode()).hexdigest()


class ModelChange(Struct, frozen=True):
    """How a model's policy differs between two configurations.

    Attributes:
        model: The model.
        before: Digest of the policy that was in force; "" for a model that is new.
        after: Digest of the policy that is; "" for a model that is gone.
        diff: Lines of a unified diff of the two policies in full, every default filled in; empty
            unless there are two.
    """

    model: str
    before: str
    after: str
    diff: tuple[str, ...]

    def __str__(self) -> str:
        """Return what has become of the model, and the lines that differ."""
        if not self.before:
            what = f"is new, policy {self.after[:SHOWN]}"
        elif not self.after:
            what = f"is no longer watched, its policy was {self.before[:SHOWN]}"
        else:
            what = f"changed, policy {self.before[:SHOWN]} to {self.after[:SHOWN]}"
        return "\n".join([f"model {self.model} {what}", *self.diff])


class ConfigChange(Struct, frozen=True):
    """How two configurations differ. Comments and the order of keys are no difference.

    Attributes:
        models: The models that differ, by name.
        settings: Lines of a unified diff of the settings, without secrets; empty if they agree.
    """

    models: tuple[ModelChange, ...]
    settings: tuple[str, ...]

    def __str__(self) -> str:
        """Return all of it, as people read diffs."""
        parts = [*map(str, self.models)]
        if self.settings:
            parts.append("\n".join(["settings changed", *self.settings]))
        return "\n".join(parts) or "nothing changed"


class ConfigFiles:
    """Where the configuration stands.

    Args:
        path: The daemon's file, which names the folder of the models.
        environment: Variables that the file may refer to.
        host: Address to listen on instead of the file's; None for the file's.
        port: Port to listen on instead of the file's; None for the file's.
    """

    def __init__(
        self,
        path: Path,
        environment: Mapping[str, str],
        host: str | None = None,
        port: int | None = None,
    ) -> None:
        self._path = path
        self._environment = environment
        self._host = host
        self._port = port

    def read(self) -> Configured:
        """Read all files.

        Raises:
            ConfigError: With every problem of the daemon's file, else of the models' files.
        """
        settings = load_settings(self._path, self._environment)
        if self._host is not None:
            settings = replace(settings, host=self._host)
        if self._port is not None:
            settings = replace(settings, port=self._port)
        return Configured(settings, load_policies(Path(settings.models)))

    def read_again(self, before: Configured) -> Configured:
        """Read what is to take the place of a configuration while the daemon runs.

        Raises:
            ConfigError: As `read`; also for every setting that is applied at the start only.
        """
        after = self.read()
        problems = needing_restart(self._path, before.settings, after.settings)
        if problems:
            raise ConfigError(problems)
        return after


def change_between(before: Configured, after: Configured) -> ConfigChange:
    """Return how two configurations differ."""
    then = {policy.model: policy for policy in before.policies}
    now = {policy.model: policy for policy in after.policies}
    models = (_model_change(name, then.get(name), now.get(name)) for name in sorted({*then, *now}))
    return ConfigChange(
        models=tuple(change for change in models if change.before != change.after),
        settings=_diff(settings_as_yaml(before.settings), settings_as_yaml(after.settings)),
    )


def _model_change(model: str, before: Policy | None, after: Policy | None) -> ModelChange:
    return ModelChange(
        model=model,
        before=before.digest if before else "",
        after=after.digest if after else "",
        diff=_diff(policy_as_yaml(before), policy_as_yaml(after)) if before and after else (),
    )


def _diff(before: str, after: str) -> tuple[str, ...]:
    lines = unified_diff(before.splitlines(), after.splitlines(), n=2, lineterm="")
    return tuple(lines)[2:]  # the two names of files are the same file's
