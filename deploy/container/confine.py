"""Confine a bundle of umoci as Kubernetes would, for runc: confine.py CONFIG SOURCE=TARGET..."""

import json
import sys
from pathlib import Path

CAPABILITIES = ("bounding", "effective", "inheritable", "permitted", "ambient")


def confined(config: dict, mounts: list[str]) -> dict:
    """Return the configuration of a container that runs the demo and may do nothing else.

    Its network is a loopback of its own. Control groups are left out: a machine without an engine
    need not have any to give.
    """
    process, linux = config["process"], config["linux"]
    process |= {
        "terminal": False,
        "args": ["modelmon", "demo"],
        "rlimits": [],
        "noNewPrivileges": True,
        "capabilities": {kind: [] for kind in CAPABILITIES},
    }
    config["root"]["readonly"] = True
    linux["namespaces"] = [item for item in linux["namespaces"] if item["type"] != "cgroup"]
    linux.pop("resources", None)
    kept = [item for item in config["mounts"] if item["type"] not in ("cgroup", "sysfs")]
    kept = [item for item in kept if item["destination"] not in _targets(mounts)]
    kept.append({"destination": "/tmp", "type": "tmpfs", "source": "tmpfs"})  # noqa: S108
    for mount in mounts:
        source, target = mount.split("=")
        options = ["bind"] if target.endswith("/var") else ["bind", "ro"]
        kept.append({"destination": target, "type": "bind", "source": source, "options": options})
    return config | {"mounts": kept}


def _targets(mounts: list[str]) -> set[str]:
    return {mount.split("=")[1] for mount in mounts}


if __name__ == "__main__":
    file = Path(sys.argv[1])
    file.write_text(json.dumps(confined(json.loads(file.read_text()), sys.argv[2:])))
