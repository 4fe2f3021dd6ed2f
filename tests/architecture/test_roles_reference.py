"""docs/reference/roles.md is the table that the code asks; `make golden` rewrites it."""

import inspect

from monitor.domain.role import Role
from monitor.governance.authorisation import (
    ALLOWED,
    APPROVING,
    GIVEN,
    GLOBAL,
    OPERATING,
    WITHOUT_MODEL,
    Action,
    allowed,
)
from tests.docstrings import told

HEAD = """# Roles and actions

Written by `make golden` from the table that the code asks before anything is written. Who may not is told every
reason. [Give access](../how-to/give-access.md) says how people and programs come by a role, and [the threat
model](../concepts/threat-model.md) what these rules cannot prove.

"""

RULES = """
- A policy's own `approvals` take the table's place for what they name: the roles that may say yes or no are those of
  their seats. One person takes one seat; who asked for it, or built the model, takes none where the policy says so.
- {approving}: whoever holds `admin` may do none of these, whatever else they hold. For a model of high risk they take a
  login of the last fifteen minutes; a token or a proxy's header is none, and `--by` with somebody else's name is none.
- {operating}: where a policy names no owner, operator or accountable person, whoever is at the command line may.
- {without}: whoever is at the command line may; over HTTP it takes the role.
- The access section of the daemon's file gives {groups}. A token gives {given}; for any other role its holder must have
  it themselves, and the token's roles only narrow what they are. A policy gives the rest.
- Nothing here is up to `system`: what the daemon does by itself follows from policies, and it takes authority away only.
"""


def listed(words):
    return ", ".join(f"`{word}`" for word in sorted(words))


def reference():
    roles = [role for role in Role if role is not Role.SYSTEM]
    lines = ["| role | what it is for |", "|---|---|"]
    lines += [f"| `{role}` | {told(Role, role)} |" for role in Role]
    lines += ["", f"| action | {' | '.join(roles)} | what it is |"]
    lines += ["|---|" + ":-:|" * len(roles) + "---|"]
    lines += [
        f"| `{action}` | "
        + " | ".join("yes" if allowed(action, role) else "" for role in roles)
        + f" | {told(Action, action)} |"
        for action in Action
    ]
    rules = RULES.format(
        approving=listed(APPROVING),
        operating=listed(OPERATING),
        without=listed(WITHOUT_MODEL),
        groups=listed(GLOBAL),
        given=listed(GIVEN),
    )
    return HEAD + "\n".join(lines) + "\n" + rules


def test_the_reference_is_what_the_code_asks(golden):
    golden("../../docs/reference/roles.md", reference())


def test_every_action_is_in_the_table_and_the_system_in_no_row_of_it():
    assert set(ALLOWED) == set(Action)
    assert not any(Role.SYSTEM in roles for roles in ALLOWED.values())
    assert inspect.getdoc(Action)
