"""What a report carries so that it can be made again and compared."""

import json
from collections.abc import Mapping
from typing import Any


def seal_text(content: Mapping[str, Any]) -> str:
    """Return the digest and the identity of a report, as one line."""
    sealed = {"digest": content["digest"], "identity": content["identity"]}
    return json.dumps(sealed, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
