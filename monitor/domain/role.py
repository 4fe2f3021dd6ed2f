"""Who may do what: the roles that people have for a model."""

from enum import StrEnum


class Role(StrEnum):
    """What somebody is for a model. Per-model roles come from its policy."""

    VIEWER = "viewer"
    """Reads pages and reports."""
    OPERATOR = "operator"
    """Acknowledges, mutes and stops; gives no authority back."""
    OWNER = "owner"
    """Submits versions, proposes policies, asks for waivers, retires versions."""
    VALIDATOR = "validator"
    """Approves versions, and is not of the owner's people."""
    ACCOUNTABLE = "accountable"
    """The one person who answers for the model: approves and releases."""
    GOVERNANCE = "governance"
    """Approves looser policies and waivers; calls for reviews."""
    AUDITOR = "auditor"
    """Reads and exports everything, changes nothing."""
    GATE = "gate"
    """A serving layer that asks whether a version may act."""
    ADMIN = "admin"
    """Issues tokens and configures; approves nothing."""
    SYSTEM = "system"
    """Nobody: limits, deadlines, clocks. It takes authority away and never gives any."""
