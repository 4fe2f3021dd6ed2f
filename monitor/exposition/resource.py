"""A rule file as a resource of Kubernetes, for clusters with the Prometheus Operator."""

from textwrap import indent

_HEAD = """\
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: modelmon
  labels:
    app.kubernetes.io/name: modelmon
spec:
"""


def rule_resource(rule_file: str) -> str:
    """Return a ``PrometheusRule`` with the groups of a rule file.

    Args:
        rule_file: As Prometheus itself reads it.
    """
    return _HEAD + indent(rule_file, "  ")
