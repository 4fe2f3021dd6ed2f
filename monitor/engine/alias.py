"""What a group is called where its name shall not be read."""

from hashlib import sha256

DIGITS = 6
"""Of a digest: enough for the groups of one population."""


def group_alias(model: str, population: str, group: str) -> str:
    """Return the alias of a group: the same in every window, on every baseline.

    It keeps a name out of sight, and no secret: whoever knows which names there may be can try them.
    Names in brackets stand for no group of people, such as ``(unknown)``, and stay.

    Args:
        model: Name of the model.
        population: Name of the population.
        group: Name of the group.
    """
    if group.startswith("("):
        return group
    told = f"{model}\0{population}\0{group}".encode("utf-8", "surrogatepass")
    return f"g{sha256(told).hexdigest()[:DIGITS]}"
