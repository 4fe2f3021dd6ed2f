"""All tables there are, in whatever module each is declared: what a backup has to hold."""

from monitor.store import (
    access_tables,
    gate_tables,
    governance_tables,
    registry_tables,
    tables,
    witness_tables,
    words_table,
)

METADATA = tables.METADATA
"""Every table of `tables` and of the modules beside it that are named here."""

MODULES = (
    tables,
    access_tables,
    governance_tables,
    registry_tables,
    gate_tables,
    witness_tables,
    words_table,
)
