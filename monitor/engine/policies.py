"""Which policy of a model is in force: that of its file, or the one before while that one waits.

A policy comes into force with the first run that is made under it. From then on another file
holds at once when it tightens, or when nothing of what it changes is judged or has a consequence;
one that loosens anything holds when it was approved by the rules of the policy in force. Where
that one answers no question of governance there is nobody to ask, and every file holds at once.
"""

from collections.abc import Callable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from monitor.domain.change import ChangeClass, KeyChange, change_of
from monitor.domain.policy import Policy
from monitor.engine.ports import Store
from monitor.governance.approvals import Request, RequestState
from monitor.governance.proposals import requests_for

Classify = Callable[[Policy, Policy], Sequence[KeyChange]]
"""Returns the keys by which two policies differ, and what each does."""


class InForce(Struct, frozen=True):
    """The policy that a model is judged by, and the file that waits to take its place.

    Attributes:
        policy: The policy in force.
        file: What the file says; the same unless it waits.
        changes: The keys by which the file differs from the policy that judged last.
        request: The newest request that the file come into force; None when nobody has asked.
    """

    policy: Policy
    file: Policy
    changes: tuple[KeyChange, ...] = ()
    request: Request | None = None

    @property
    def waits(self) -> bool:
        """Return whether the file waits for its approvals."""
        return bool(self.policy.waiting)


def in_force(
    file: Policy, store: Store, policy_of: Callable[[str], Policy], classify: Classify
) -> InForce:
    """Return which policy of a model is in force.

    Args:
        file: What the model's file says.
        store: What judged last, and what was approved.
        policy_of: Returns the policy that a stored file declares. Raises ConfigError.
        classify: Tells what a change does.

    Raises:
        ConfigError: This version cannot read the policy that judged last.
        StoreError: The database cannot be read.
    """
    digest = store.last_policy(file.model)
    if digest in {"", file.digest}:
        return InForce(file, file)
    before = replace(policy_of(store.policy_text(digest)), directory=file.directory)
    changes = tuple(classify(before, file))
    # Under a policy that leaves an answer out no version may act: there is nothing to loosen.
    if not before.governance.governed or change_of(changes) is not ChangeClass.LOOSEN:
        return InForce(file, file, changes)
    asked = requests_for(store.requests(file.model), before.digest, file.digest)
    used = {item.digest: item.last for item in store.policies(file.model)}.get(file.digest)
    # What was approved once, held, and was taken back is another decision the next time.
    fresh = [item for item in asked if used is None or (item.recorded_at or item.at) > used]
    request = fresh[-1] if fresh else None
    if request is not None and request.recorded is RequestState.GRANTED:
        return InForce(file, file, changes, request)
    return InForce(replace(before, waiting=file.digest), file, changes, request)
