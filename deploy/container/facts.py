"""Say what an image says of itself: its user, command, signal, health check, volume and labels."""

import json
import sys
import tarfile
from pathlib import Path

WANTED = {
    "User": "10001:10001",
    "Entrypoint": ["modelmon"],
    "Cmd": ["serve", "--host", "0.0.0.0"],  # noqa: S104  # within the container's own network
    "StopSignal": "SIGTERM",
    "WorkingDir": "/srv/modelmon",
    "Volumes": {"/srv/modelmon/var": {}},
    "ExposedPorts": {"9108/tcp": {}},
}
LABELS = ("title", "description", "licenses", "version", "revision")


def problems(archive: Path) -> list[str]:
    """Return what is not as wanted in an image in docker's form."""
    with tarfile.open(archive) as image:

        def read(name: str) -> object:
            held = image.extractfile(name)
            assert held is not None, name  # noqa: S101  # an archive of docker has it
            return json.load(held)

        (manifest,) = read("manifest.json")
        config = read(manifest["Config"])["config"]
    found = [
        f"{key} is {config.get(key)}, not {value}"
        for key, value in WANTED.items()
        if config.get(key) != value
    ]
    if config.get("Healthcheck", {}).get("Test") != ["CMD", "modelmon", "healthcheck"]:
        found.append(f"Healthcheck is {config.get('Healthcheck')}")
    named = config.get("Labels") or {}
    return found + [
        f"no label {label}"
        for label in LABELS
        if not named.get(f"org.opencontainers.image.{label}")
    ]


if __name__ == "__main__":
    wrong = problems(Path(sys.argv[1]))
    print("\n".join(wrong), file=sys.stderr)
    sys.exit(bool(wrong))
