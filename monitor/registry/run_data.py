"""The data of a run in MLflow, to be the baseline of what it was trained for."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from msgspec import Struct

from monitor.domain.errors import RegistryError
from monitor.domain.registry import UsedData
from monitor.domain.settings import RegistrySettings
from monitor.registry.connection import open_client
from monitor.registry.mlflow import run_of, used_data

_TRAINING = "training"
_PLACES = ("uri", "path", "url")
"""Keys under which MLflow's kinds of sources say where the data are."""


class RunData(Struct, frozen=True):
    """Where the data of a run are.

    Attributes:
        path: Path or URI of parquet.
        told: Which data of which run, in words.
    """

    path: str
    told: str


@contextmanager
def data_of_run(settings: RegistrySettings | None, run: str, artifact: str) -> Iterator[RunData]:
    """Yield where the data of a run are, for as long as they are needed.

    Args:
        settings: The registry's settings.
        run: Id of the run.
        artifact: Path of the artifact that is the data, which is fetched; "" for the data set that
            the run says it was trained on, which is read where it is.

    Raises:
        RegistryError: There is no registry, no such run, or no such data.
    """
    if settings is None:
        raise RegistryError("the daemon's file names no registry; right would be registry.url")
    client = open_client(settings)
    found = run_of(client, run)
    if found is None:
        raise RegistryError(f"{client.shown} has no run {run}")
    if not artifact:
        yield _logged(run, found)
        return
    with TemporaryDirectory(prefix="modelmon-") as folder:
        path = Path(folder, "baseline.parquet")
        digest = client.fetch("/get-artifact", {"path": artifact, "run_id": run}, path)
        yield RunData(str(path), f"artifact {artifact} of run {run}, sha256 {digest}")


def _logged(run: str, found: dict[str, Any]) -> RunData:
    data = used_data(found)
    trained = [each for each in data if each.context == _TRAINING] or data
    if len(trained) != 1:
        named = ", ".join(each.name for each in trained) or "none"
        raise RegistryError(
            f"the run {run} names {len(trained)} data sets ({named}); name the file by --artifact,"
            " or the data by --path"
        )
    (used,) = trained
    return RunData(_place(run, used), f"data set {used.name} ({used.digest}) of run {run}")


def _place(run: str, used: UsedData) -> str:
    try:
        source = json.loads(used.source)
    except ValueError:
        source = None
    places: Sequence[object] = (
        [source.get(key) for key in _PLACES] if isinstance(source, dict) else []
    )
    place = next((each for each in places if isinstance(each, str) and each), None)
    if place is None:
        raise RegistryError(
            f"the data set {used.name} of run {run} does not say where it is; name the file by"
            " --artifact, or the data by --path"
        )
    return place
