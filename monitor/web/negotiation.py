"""Which format of the page a client takes, by what its request says."""

from collections.abc import Iterator

from monitor.exposition.text import Form

_NAMED = {
    ("application/openmetrics-text", "1.0.0"): Form.OPENMETRICS,
    ("application/openmetrics-text", ""): Form.OPENMETRICS,
    ("text/plain", "0.0.4"): Form.TEXT,
    ("text/plain", ""): Form.TEXT,
}


def asked_form(accepted: str) -> Form:
    """Return the format that an Accept header likes best: OpenMetrics only if it is named.

    Of two that are liked equally, the one that is named first. Nothing is ever refused: a client
    that takes neither is a browser or a mistake, and both are served best with plain text.
    """
    liked: dict[Form, float] = {}
    for kind, version, quality in _accepted(accepted):
        form = _NAMED.get((kind, version))
        if form is not None and quality > 0:
            liked[form] = max(quality, liked.get(form, 0.0))
    return max(liked, key=lambda form: liked[form], default=Form.TEXT)


def _accepted(header: str) -> Iterator[tuple[str, str, float]]:
    for item in header.lower().split(","):
        kind, *parameters = item.split(";")
        pairs = (each.partition("=") for each in parameters)
        found = {name.strip(): text.strip().strip('"') for name, _, text in pairs}
        yield kind.strip(), found.get("version", ""), _number(found.get("q", "1"))


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def accepts_gzip(accepted: str) -> bool:
    """Return whether an Accept-Encoding header takes gzip, by name or by ``*``, q=0 refusing."""
    qualities = {}
    for item in accepted.lower().split(","):
        coding, _, parameter = item.partition(";")
        name, _, quality = parameter.partition("=")
        qualities[coding.strip()] = quality.strip() if name.strip() == "q" else "1"
    quality = qualities.get("gzip", qualities.get("*", "0"))
    return quality.strip("0.") != ""
