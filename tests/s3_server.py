"""A real S3 server on this machine, for tests: SeaweedFS's one binary, in one process."""

import json
import os
import re
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

from pyarrow import fs

from tests.ports import free_port

ACCESS_KEY, SECRET_KEY = "modelmon", "only-for-tests"
BUCKET = "logs"
_PATIENCE = 90.0

_IDENTITIES = {
    "identities": [
        {
            "name": "tests",
            "credentials": [{"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}],
            "actions": ["Admin", "Read", "Write", "List", "Tagging"],
        }
    ]
}


@dataclass(frozen=True)
class S3Server:
    """A running server with one bucket.

    Attributes:
        port: Where S3 is spoken, on 127.0.0.1.
        metrics: Port with the server's own counters.
    """

    port: int
    metrics: int

    @property
    def environment(self):
        """Return the variables by which every client finds server and credentials."""
        return {
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    @property
    def filesystem(self):
        return fs.S3FileSystem(
            access_key=ACCESS_KEY,
            secret_key=SECRET_KEY,
            endpoint_override=f"127.0.0.1:{self.port}",
            scheme="http",
            region="us-east-1",
            allow_bucket_creation=True,
            request_timeout=30,
        )

    def uri(self, key):
        """Return the URI of a key, with the server's address and without credentials."""
        address = f"endpoint_override=127.0.0.1:{self.port}&scheme=http&region=us-east-1"
        return f"s3://{BUCKET}/{key}?{address}"

    def put(self, key, content):
        with self.filesystem.open_output_stream(f"{BUCKET}/{key}") as stream:
            stream.write(content)

    def requests(self, kind):
        """Return how many requests of a kind the server has had; HEAD is counted as GET."""
        return self._counted(rf'SeaweedFS_s3_request_total{{[^}}]*type="{kind}"[^}}]*}}')

    def bytes_sent(self):
        """Return how many bytes of objects the server has sent."""
        return self._counted(r"SeaweedFS_s3_bucket_traffic_sent_bytes_total{[^}]*}")

    def _counted(self, series):
        with urlopen(f"http://127.0.0.1:{self.metrics}/metrics", timeout=60) as page:
            text = page.read().decode()
        counts = re.findall(rf"^{series} (\S+)$", text, re.MULTILINE)
        return sum(int(float(count)) for count in counts)


def start(folder):
    """Return a process that runs the server in a folder, and the server once it answers.

    Raises:
        RuntimeError: It ended, or did not answer in time; with the end of its log.
    """
    (folder / "s3.json").write_text(json.dumps(_IDENTITIES))
    (folder / "data").mkdir()
    names = ("master", "master.grpc", "volume", "volume.grpc", "filer", "filer.grpc", "s3")
    ports = {name: free_port() for name in (*names, "s3.grpc", "metrics")}
    listening = [
        f"-{name.partition('.')[0]}.port{'.grpc' if name.endswith('.grpc') else ''}={port}"
        for name, port in ports.items()
        if name != "metrics"
    ]
    log = folder / "weed.log"
    command = [
        Path(sys.executable).with_name("weed"),
        f"-logdir={folder}",
        "server",
        f"-dir={folder / 'data'}",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        "-filer",
        "-s3",
        f"-s3.config={folder / 's3.json'}",
        "-s3.iam=false",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        "-master.volumeSizeLimitMB=64",
        "-volume.max=20",
        f"-metricsPort={ports['metrics']}",
        *listening,
    ]
    # The server reads AWS_* as well, and would take them for its own administrator.
    environment = {name: value for name, value in os.environ.items() if "AWS" not in name}
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=output, cwd=folder, env=environment
        )
    server = S3Server(ports["s3"], ports["metrics"])
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until and process.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", server.port), timeout=10):
                pass
            server.filesystem.create_dir(BUCKET)
            server.put("ready", b"1")
        except OSError:
            time.sleep(0.2)
        else:
            return process, server
    process.kill()
    process.wait()
    raise RuntimeError(f"the S3 server did not start:\n{log.read_text()[-2000:]}")
