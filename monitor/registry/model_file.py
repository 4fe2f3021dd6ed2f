"""The file that describes a model in MLflow, which whoever registers one may fill with anything."""

import json

import yaml

MOST_BYTES = 256 * 1024
"""Of a file that is read: a parser in Python takes seconds for more, and the registry waits."""


class _Texts(yaml.BaseLoader):
    """Reads texts, lists and mappings: nothing is converted, and nothing repeated by a reference.

    A few references to references make a document of any size of a small file.
    """

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Refuse a reference; compose anything else.

        Raises:
            YAMLError: It is one.
        """
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("a reference")
        return super().compose_node(parent, index)


def signature_of(described: bytes) -> str:
    """Return the signature in an MLmodel file as one line; "" where it has none that can be read.

    Its digest is kept all the same: no content keeps a model from being looked at.
    """
    if len(described) > MOST_BYTES:
        return ""
    try:
        content = yaml.load(described, _Texts)  # noqa: S506  # it makes texts, lists and mappings
        signature = content.get("signature") if isinstance(content, dict) else None
        return json.dumps(signature, sort_keys=True) if signature else ""
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, TypeError):
        return ""  # no YAML, nested without end, or keys of several kinds
