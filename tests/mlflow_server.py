"""A real MLflow server, in an environment of its own, with SQLite behind it.

It takes 405 MB and, from a warm cache, 4 s to install; it starts in about 8 s.
"""

import base64
import json
import os
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from tests.ports import free_port

REQUIREMENTS = Path(__file__).with_name("mlflow-requirements.txt")
VERSION = "mlflow==3.17.2"
BUILD = Path(__file__).parents[1] / "build"
API = "/api/2.0/mlflow"


def environment():
    """Return the Python that MLflow is installed for; it is kept until the requirements change."""
    wanted = sha256(REQUIREMENTS.read_bytes() + VERSION.encode()).hexdigest()[:12]
    home = BUILD / f"mlflow-{wanted}"
    python = home / "bin" / "python"
    if (home / "whole").exists():
        return python
    uv = [sys.executable, "-m", "uv"]
    install = [*uv, "pip", "install", "--quiet", "--python", str(python)]
    subprocess.run(
        [*uv, "venv", "--quiet", "--clear", "--python", sys.executable, home], check=True
    )
    subprocess.run([*install, "--requirement", str(REQUIREMENTS)], check=True)
    subprocess.run([*install, "--no-deps", VERSION], check=True)
    (home / "whole").touch()
    return python


class MlflowServer:
    """One that can be killed and started again on the same port and database."""

    _app = ("mlflow.server.fastapi_app:app",)

    def __init__(self, folder, credentials=None):
        self.folder = folder
        self._credentials = credentials or {}
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._python = environment()
        self._process = None

    def start(self):
        """Start what `mlflow server` starts, without the process that only starts it."""
        database = f"sqlite:///{self.folder}/mlflow.db"
        settings = {
            "_MLFLOW_SERVER_FILE_STORE": database,
            "_MLFLOW_SERVER_REGISTRY_STORE": database,
            "_MLFLOW_SERVER_ARTIFACT_ROOT": "mlflow-artifacts:/",
            "_MLFLOW_SERVER_ARTIFACT_DESTINATION": str(self.folder / "artifacts"),
            "_MLFLOW_SERVER_SERVE_ARTIFACTS": "true",
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS": "true",
            "MLFLOW_WEBHOOK_CACHE_TTL": "1",  # seconds until a new webhook is called
            "MLFLOW_WEBHOOK_ALLOWED_SCHEMES": "http,https",
            "MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY": base64.urlsafe_b64encode(bytes(32)).decode(),
            **self._further(),
        }
        kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        server = ["-m", "uvicorn", *self._app, "--port", str(self.port)]
        with (self.folder / "server.log").open("a") as log:
            self._process = subprocess.Popen(
                [str(self._python), *server],
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env={**kept, **settings},
            )
        deadline = time.monotonic() + 120
        while not self._answers():
            assert self._process.poll() is None, (self.folder / "server.log").read_text()
            assert time.monotonic() < deadline, (self.folder / "server.log").read_text()
            time.sleep(0.1)

    def _further(self):
        """Return what else it is started with."""
        return {}

    def kill(self):
        """End it as a crash would."""
        self._process.kill()
        self._process.wait()

    def ask(self, method, call, /, **given):
        """Return what the server answers, as any client would see it."""
        where, body = f"{self.url}{API}/{call}", None
        if method == "GET":
            where += f"?{urlencode(given)}"
        else:
            body = json.dumps(given).encode()
        headers = {"Content-Type": "application/json", **self._credentials}
        with self._open(Request(where, body, headers, method=method)) as answer:  # noqa: S310  # its own
            return json.loads(answer.read() or b"{}")

    def put(self, path, content):
        """Write an artifact."""
        where = f"{self.url}/api/2.0/mlflow-artifacts/artifacts/{path}"
        with self._open(Request(where, content, self._credentials, method="PUT")) as answer:  # noqa: S310  # its own
            assert answer.status == 200

    def aliases(self, name):
        found = self.ask("GET", "registered-models/get", name=name)["registered_model"]
        return {each["alias"]: each["version"] for each in found.get("aliases", [])}

    def tags(self, name, version):
        found = self.ask("GET", "model-versions/get", name=name, version=version)["model_version"]
        return {each["key"]: each["value"] for each in found.get("tags", [])}

    def register(self, name, described=b""):
        """Register a version as a training run does, and return its run and number."""
        experiment = self._experiment("training")
        tags = [
            {"key": "mlflow.source.git.commit", "value": "4f2a9c1"},
            {"key": "mlflow.user", "value": "dana"},
        ]
        run = self.ask("POST", "runs/create", experiment_id=experiment, tags=tags)["run"]["info"]
        number, folder = run["run_id"], run["artifact_uri"]
        params = [{"key": "depth", "value": "3"}]
        self.ask("POST", "runs/log-batch", run_id=number, params=params)
        data = {
            "name": "applications",
            "digest": "d1f0",
            "source_type": "local",
            "source": '{"uri": "s3://lake/applications"}',
        }
        context = [{"key": "mlflow.data.context", "value": "training"}]
        inputs = [{"dataset": data, "tags": context}]
        self.ask("POST", "runs/log-inputs", run_id=number, datasets=inputs)
        if described:
            self.put(f"{experiment}/{number}/artifacts/model/MLmodel", described)
        made = self.ask(
            "POST", "model-versions/create", name=name, source=f"{folder}/model", run_id=number
        )
        return number, made["model_version"]["version"]

    def _experiment(self, name):
        found = self.ask("POST", "experiments/search", max_results=100).get("experiments", [])
        there = [each["experiment_id"] for each in found if each["name"] == name]
        return (
            there[0]
            if there
            else self.ask("POST", "experiments/create", name=name)["experiment_id"]
        )

    def _open(self, what, timeout=30):
        return urlopen(what, timeout=timeout)  # noqa: S310  # a server of the tests

    def _answers(self):
        try:
            with self._open(f"{self.url}/health", 5) as answer:
                return answer.status == 200
        except (URLError, OSError):
            return False


ADMIN = ("root", "the administrator's words")


class GuardedServer(MlflowServer):
    """One that people log in to, with a user of less rights: what they are given, and no more."""

    _app = ("mlflow.server.auth:create_app", "--factory")

    def __init__(self, folder):
        said = base64.b64encode(":".join(ADMIN).encode()).decode()
        super().__init__(folder, {"Authorization": f"Basic {said}"})

    def add_user(self, name, password):
        self.ask("POST", "users/create", username=name, password=password)

    def grant(self, name, kind, what, permission):
        """Let a user do something with an experiment or a registered model."""
        body = {"username": name, "resource_type": kind, "resource_id": what}
        where = f"{self.url}/api/3.0/mlflow/users/permissions/grant"
        sent = json.dumps({**body, "permission": permission}).encode()
        headers = {"Content-Type": "application/json", **self._credentials}
        with self._open(Request(where, sent, headers)) as answer:  # noqa: S310  # its own
            assert answer.status == 200

    def _further(self):
        settings = self.folder / "auth.ini"
        settings.write_text(
            f"""[mlflow]
default_permission = NO_PERMISSIONS
auth_cache_ttl_seconds = 60
database_uri = sqlite:///{self.folder}/auth.db
authorization_function = mlflow.server.auth:authenticate_request_basic_auth
"""
        )
        secret = "of a test"  # noqa: S105  # of this server's forms
        name, password = ADMIN
        return {
            "_MLFLOW_SGI_NAME": "uvicorn",
            "MLFLOW_AUTH_CONFIG_PATH": str(settings),
            "MLFLOW_FLASK_SERVER_SECRET_KEY": secret,
            "MLFLOW_AUTH_ADMIN_USERNAME": name,
            "MLFLOW_AUTH_ADMIN_PASSWORD": password,
        }
