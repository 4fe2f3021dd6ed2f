"""MLflow as a registry, by the few REST calls that it takes."""

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import UTC, datetime
from functools import wraps
from hashlib import sha256
from http import HTTPStatus
from typing import Any, Concatenate, ParamSpec, TypeVar
from urllib.parse import quote

from monitor.domain.errors import RegistryError
from monitor.domain.registry import (
    TAG_PREFIX,
    Lineage,
    RegisteredModel,
    RegisteredVersion,
    RunStage,
    UsedData,
)
from monitor.engine.registry import MonitoringRun, Registry
from monitor.registry.model_file import signature_of
from monitor.registry.rest import DeclinedError, RestClient

_API = "/api/2.0/mlflow"
_ABSENT = "RESOURCE_DOES_NOT_EXIST"
_TAKEN = "RESOURCE_ALREADY_EXISTS"
_PAGE = 200

_DIGEST = 36
"""Characters of a data set's digest that MLflow stores at the most."""

_METRICS = 1000
"""Metrics that it takes in one call at the most."""

EXPERIMENT = "monitoring/"
"""What the names of the experiments begin with that hold monitoring runs."""


_Given = ParamSpec("_Given")
_Found = TypeVar("_Found")


def _understood(
    call: Callable[Concatenate["MlflowRegistry", _Given], _Found],
) -> Callable[Concatenate["MlflowRegistry", _Given], _Found]:
    """Return a call that says so where an answer is JSON and not what MLflow answers."""

    @wraps(call)
    def made(self: "MlflowRegistry", /, *given: _Given.args, **named: _Given.kwargs) -> _Found:
        try:
            return call(self, *given, **named)
        except (KeyError, TypeError, AttributeError, ValueError, OverflowError) as error:
            told = f"{self.shown} answers something else than MLflow does: {error!r}"
            raise RegistryError(f"{told}; is it one, and of a version that is known?") from error

    return made


class MlflowRegistry(Registry):
    """Models in an MLflow server."""

    def __init__(self, client: RestClient) -> None:
        self._client = client

    @property
    def shown(self) -> str:
        """Return where the server is, without credentials."""
        return self._client.shown

    @_understood
    def snapshot(self, name: str, looked_at: Collection[str]) -> RegisteredModel | None:
        """Return all that the server has of a model; None when it has no such model."""
        try:
            answer = self._client.get(f"{_API}/registered-models/get", {"name": name})
        except DeclinedError as error:
            if error.code == _ABSENT:
                return None
            raise
        # Only here are the aliases whole: a search answers none.
        given = answer["registered_model"].get("aliases", [])
        aliases = {str(each["alias"]): str(each["version"]) for each in given}
        looked_at = {*looked_at, *aliases.values()}
        versions = [self._version(each, looked_at) for each in self._versions(name)]
        return RegisteredModel(name, tuple(sorted(versions, key=_order)), aliases)

    @_understood
    def lineage(self, name: str, version: str) -> Lineage:
        """Return what a version was made from, as far as the server says."""
        query = {"name": name, "version": version}
        found = self._client.get(f"{_API}/model-versions/get", query)["model_version"]
        described = self._model_file(name, version)
        digest = _digest(described)
        signature = "" if described is None else signature_of(described)
        run = str(found.get("run_id") or "")
        if not run:
            return Lineage(model_file=digest, signature=signature)
        try:
            answer = run_of(self._client, run)
        except DeclinedError as error:
            _require_forbidden(error)
            return Lineage(run, None, model_file=digest, signature=signature)
        if answer is None:
            return Lineage(run, RunStage.MISSING, model_file=digest, signature=signature)
        data, tags = answer.get("data", {}), _pairs(answer.get("data", {}).get("tags", []))
        return Lineage(
            run=run,
            stage=_stage(answer),
            commit=tags.get("mlflow.source.git.commit", ""),
            logged_by=tags.get("mlflow.user", ""),
            data=used_data(answer),
            params=_pairs(data.get("params", [])),
            model_file=digest,
            signature=signature,
        )

    @_understood
    def model_file(self, name: str, version: str) -> str:
        """Return sha256 of the file that describes a version; "" where it is not handed out."""
        return _digest(self._model_file(name, version))

    @_understood
    def set_state(self, name: str, version: str, tags: Mapping[str, str]) -> None:
        """Write tags of a version, and make sure that they are there; an empty one is removed."""
        # What is there already costs no write; to remove one takes more rights than to write one.
        for key in self._differing(name, version, tags):
            about = {"name": name, "version": version, "key": key}
            if tags[key]:
                self._client.post(f"{_API}/model-versions/set-tag", {**about, "value": tags[key]})
            else:
                self._remove_tag(about)
        differ = self._differing(name, version, tags)
        if differ:
            raise RegistryError(
                f"the tags {', '.join(differ)} of {name} {version} are not what was written:"
                " somebody else writes them",
                retryable=True,
            )

    @_understood
    def demote(self, name: str, alias: str, version: str, to: str) -> str:
        """Take an alias from a version, and return what the alias names then; "" for none."""
        if self._named(name, alias) != version:
            return self._named(name, alias)
        about = {"name": name, "alias": alias}
        path = f"{_API}/registered-models/alias"
        if to:
            self._client.post(path, {**about, "version": to})
        else:
            self._client.post(path, about, method="DELETE")
        return self._named(name, alias)  # there is no compare-and-set: only looking again tells

    @_understood
    def record(self, run: MonitoringRun) -> str:
        """Write what a window has found into the monitoring run of its month; return its id."""
        experiment = self._experiment(EXPERIMENT + run.model)
        number = self._monitoring_run(experiment, run)
        for begin in range(0, len(run.metrics), _METRICS):
            part = run.metrics[begin : begin + _METRICS]
            at = int(run.at.timestamp() * 1000)
            metrics = [
                {"key": key, "value": value, "timestamp": at, "step": 0} for key, value in part
            ]
            self._client.post(f"{_API}/runs/log-batch", {"run_id": number, "metrics": metrics})
        data = {
            "name": run.model[:500],
            "digest": run.manifest[:_DIGEST],
            "source_type": "modelmon",
            "source": json.dumps({"manifest": run.manifest, "window": run.window}),
        }
        self._client.post(
            f"{_API}/runs/log-inputs", {"run_id": number, "datasets": [{"dataset": data}]}
        )
        for path, content in run.files.items():
            where = f"{quote(experiment)}/{quote(number)}/artifacts/{quote(path)}"
            self._client.put(f"/api/2.0/mlflow-artifacts/artifacts/{where}", content)
        return number

    def _versions(self, name: str) -> Iterator[Mapping[str, Any]]:
        token, seen = "", set[str]()
        while token not in seen:
            seen.add(token)
            query = {"filter": f"name={_quoted(name)}", "max_results": str(_PAGE)}
            if token:
                query["page_token"] = token
            answer = self._client.get(f"{_API}/model-versions/search", query)
            yield from answer.get("model_versions", [])
            token = str(answer.get("next_page_token") or "")
            if not token:
                return
        raise RegistryError(f"{self.shown} answers the versions of {name} page by page without end")

    def _version(self, found: Mapping[str, Any], looked_at: Collection[str]) -> RegisteredVersion:
        number, run = str(found["version"]), str(found.get("run_id") or "")
        tags = _pairs(found.get("tags", []))
        stage = self._stage(run) if run and number in looked_at else None
        return RegisteredVersion(
            version=number,
            source=str(found.get("source") or ""),
            run=run,
            created_at=datetime.fromtimestamp(int(found["creation_timestamp"]) / 1000, UTC),
            tags={key: tags[key] for key in sorted(tags) if key.startswith(TAG_PREFIX)},
            stage=stage,
        )

    def _stage(self, run: str) -> RunStage | None:
        """Return what has become of a run; None where we have no right to know."""
        try:
            found = run_of(self._client, run)
        except DeclinedError as error:
            _require_forbidden(error)
            return None
        return RunStage.MISSING if found is None else _stage(found)

    def _differing(self, name: str, version: str, tags: Mapping[str, str]) -> list[str]:
        query = {"name": name, "version": version}
        found = self._client.get(f"{_API}/model-versions/get", query)["model_version"]
        there = _pairs(found.get("tags", []))
        return sorted(key for key, value in tags.items() if there.get(key, "") != value)

    def _model_file(self, name: str, version: str) -> bytes | None:
        """Return the file that describes a model; None where the server does not hand it out."""
        query = {"name": name, "version": version, "path": "MLmodel"}
        try:
            return self._client.read("/model-versions/get-artifact", query)
        except DeclinedError:
            return None  # kept elsewhere, or gone: the origin then says that it has none

    def _named(self, name: str, alias: str) -> str:
        answer = self._client.get(f"{_API}/registered-models/get", {"name": name})
        given = answer["registered_model"].get("aliases", [])
        return next((str(each["version"]) for each in given if each["alias"] == alias), "")

    def _remove_tag(self, about: Mapping[str, str]) -> None:
        try:
            self._client.post(f"{_API}/model-versions/delete-tag", about, method="DELETE")
        except DeclinedError as error:
            if error.code != _ABSENT:
                raise

    def _experiment(self, name: str) -> str:
        try:
            made = self._client.post(f"{_API}/experiments/create", {"name": name})
            return str(made["experiment_id"])
        except DeclinedError as error:
            if error.code != _TAKEN:
                raise
        query = {"experiment_name": name}
        found = self._client.get(f"{_API}/experiments/get-by-name", query)["experiment"]
        if found["lifecycle_stage"] != "active":
            raise RegistryError(f"the experiment {name} was deleted; restore it in MLflow")
        return str(found["experiment_id"])

    def _monitoring_run(self, experiment: str, run: MonitoringRun) -> str:
        """Return the run of the version and month; it is made if it is not there."""
        named = f"{run.model} {run.version} {run.month}"
        tags = {
            "monitor.model": run.model,
            "monitor.version": run.version,
            "monitor.month": run.month,
        }
        wanted = " and ".join(f"tags.`{key}` = {_quoted(value)}" for key, value in tags.items())
        asked = {"experiment_ids": [experiment], "filter": wanted, "max_results": 1}
        found = self._client.post(f"{_API}/runs/search", asked).get("runs", [])
        if found:
            return str(found[0]["info"]["run_id"])
        begun = {
            "experiment_id": experiment,
            "run_name": named,
            "start_time": int(run.at.timestamp() * 1000),
            "tags": [{"key": key, "value": value} for key, value in tags.items()],
        }
        return str(self._client.post(f"{_API}/runs/create", begun)["run"]["info"]["run_id"])


def _order(version: RegisteredVersion) -> tuple[int, str]:
    number = version.version
    return (int(number) if number.isdecimal() else 0, number)


def _pairs(given: list[Mapping[str, Any]]) -> dict[str, str]:
    return {str(each["key"]): str(each.get("value", "")) for each in given}


def _stage(run: Mapping[str, Any]) -> RunStage:
    stage = run.get("info", {}).get("lifecycle_stage")
    return RunStage.DELETED if stage == "deleted" else RunStage.ACTIVE


def _require_forbidden(error: DeclinedError) -> None:
    """Raise what was declined for any other reason than that we have no right.

    Who may edit a model need not be able to read the experiments that its runs are in.
    """
    if error.status != HTTPStatus.FORBIDDEN:
        raise error


def run_of(client: RestClient, run: str) -> dict[str, Any] | None:
    """Return a run by its id, also a deleted one; None when the server does not know it.

    Raises:
        RegistryError: It could not be asked.
    """
    try:
        found: dict[str, Any] = client.get(f"{_API}/runs/get", {"run_id": run})["run"]
    except DeclinedError as error:
        if error.code == _ABSENT:
            return None
        raise
    return found


def used_data(run: Mapping[str, Any]) -> tuple[UsedData, ...]:
    """Return the data sets that a run says it has read."""
    return tuple(_used(each) for each in run.get("inputs", {}).get("dataset_inputs", []))


def _used(given: Mapping[str, Any]) -> UsedData:
    data = given["dataset"]
    context = _pairs(given.get("tags", [])).get("mlflow.data.context", "")
    return UsedData(str(data["name"]), str(data["digest"]), str(data.get("source", "")), context)


def _quoted(text: str) -> str:
    """Return text as a string of MLflow's filter language, which knows no escapes.

    Raises:
        RegistryError: It holds both kinds of quotes.
    """
    for mark in ("'", '"'):
        if mark not in text:
            return f"{mark}{text}{mark}"
    raise RegistryError(f"MLflow cannot be asked for a name with both kinds of quotes: {text}")


def _digest(described: bytes | None) -> str:
    return "" if described is None else sha256(described).hexdigest()
