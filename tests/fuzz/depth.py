"""How much is tried: a little in every test run, much in `make fuzz`."""

import os

from hypothesis import HealthCheck, settings

DEEP = bool(os.environ.get("MODELMON_FUZZ"))
"""Whether this is `make fuzz`."""

SEED = int(os.environ.get("MODELMON_FUZZ_SEED", "0"))
"""The first seed of the mutants; another one tries other mutants."""

MUTANTS = int(os.environ.get("MODELMON_FUZZ_MUTANTS", "10000")) if DEEP else 300

_DEEPER = 20


def examples(few: int) -> settings:
    """Return settings with few examples in a test run, and many more of them in `make fuzz`."""
    return settings(
        max_examples=few * _DEEPER if DEEP else few,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
