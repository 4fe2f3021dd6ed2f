"""What a window is held against besides the registered baseline: sums of stored profiles."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache, partial
from itertools import combinations

from msgspec import Struct, field
from msgspec.structs import replace

from monitor.domain.baseline import Baseline, BaselinePart
from monitor.domain.disparity import STRETCH
from monitor.domain.estimate import Absence, Unmeasurable
from monitor.domain.policy import Policy
from monitor.domain.reference import Composition, Reference, held_identity
from monitor.domain.run import VersionResult
from monitor.domain.window import Window
from monitor.engine.ports import Profiled, RunHead, Store
from monitor.measures.measure import ProfilePair
from monitor.measures.stretches import stretched
from monitor.profile.codec import profile_from_bytes, profile_without_slices
from monitor.profile.grid import Grid
from monitor.profile.profile import Profile, added_up


class Held(Struct, frozen=True):
    """The references of one window, as far as they can be made of what is stored.

    Attributes:
        compositions: What each is made of, for every version that has a baseline.
        profiles: The stored profiles that they are made of, by window.
    """

    compositions: tuple[Composition, ...] = ()
    profiles: Mapping[Window, Profiled] = field(default_factory=dict)

    def of(self, results: Iterable[VersionResult]) -> tuple[Composition, ...]:
        """Return what the references of the versions that have rows are made of.

        The stretch for small groups is part of it where there was one.
        """
        small = {item.version: stretched(item.readings) for item in results if item.profile}
        return tuple(
            item
            for item in self.compositions
            if item.version in small and (item.reference != STRETCH or small[item.version])
        )

    def beside(
        self, window: Window, baseline: Baseline, grid: Grid, profile: Profile
    ) -> ProfilePair:
        """Return a window's profile beside its baseline, with the windows for small groups."""
        pair = pair_with_baseline(window, baseline, grid, profile)
        parts = [
            part
            for item in self.compositions
            if (item.version, item.reference) == (baseline.version, STRETCH)
            for part, _ in item.parts
        ]
        read = [
            cache(partial(profile_without_slices, self._bytes(part, baseline))) for part in parts
        ]
        return replace(pair, earlier=tuple(zip(parts, read, strict=True)))

    def _bytes(self, window: Window, baseline: Baseline) -> bytes:
        return self.profiles[window].profiles[baseline.version]

    def composition(self, reference: Reference, version: str) -> Composition:
        """Return what the reference of a version is made of."""
        return next(
            item
            for item in self.compositions
            if (item.version, item.reference) == (version, reference.name)
        )

    def profile(
        self, reference: Reference, baseline: Baseline, *, slices: bool
    ) -> Profile | Unmeasurable:
        """Return the sum of a reference's windows, or why there is none."""
        made = self.composition(reference, baseline.version)
        if len(made.parts) < reference.at_least:
            return Unmeasurable(
                Absence.REFERENCE_UNAVAILABLE,
                f"the reference {reference.name} needs {reference.at_least} of "
                f"{reference.windows} windows, and {len(made.parts)} are stored with rows of "
                f"version {baseline.version} on its baseline's grid",
            )
        kept = _kept(baseline)
        read = profile_from_bytes if slices else profile_without_slices
        return added_up(
            read(
                kept[window].profile
                if window in kept
                else self.profiles[window].profiles[baseline.version]
            )
            for window, _ in made.parts
        )

    def pair(
        self,
        reference: Reference,
        baseline: Baseline,
        registered: ProfilePair,
        *,
        slices: bool = False,
    ) -> ProfilePair | Unmeasurable:
        """Return a window beside a reference, or why there is no such reference.

        Args:
            reference: Which one.
            baseline: What the version is registered with.
            registered: The window beside that baseline.
            slices: Whether the reference's slices are wanted: adding them up decodes all of them,
                and nothing is measured against them.
        """
        earlier = self.profile(reference, baseline, slices=slices)
        if isinstance(earlier, Unmeasurable):
            return earlier
        parts = self.composition(reference, baseline.version).parts
        return replace(
            registered,
            reference=earlier,
            reference_windows=sum(part.duration / registered.window.duration for part, _ in parts),
            registered=registered.reference,
            earlier=(),
        )


def pair_with_baseline(
    window: Window, baseline: Baseline, grid: Grid, profile: Profile
) -> ProfilePair:
    """Return a window's profile beside the baseline that it was counted on."""
    return ProfilePair(
        grid=grid,
        reference=profile_from_bytes(baseline.profile),
        current=profile,
        window=window,
        reference_windows=baseline.window.duration / window.duration,
    )


def hold(
    policy: Policy,
    window: Window,
    baselines: Mapping[str, Baseline],
    heads: Mapping[Window, RunHead],
    store: Store,
) -> Held:
    """Return what a window is held against besides its baselines.

    Nothing of the log is read: a reference is a sum of the profiles that are stored of its
    windows. Those within the period of a baseline are its own parts.

    Args:
        policy: The model's policy.
        window: The window.
        baselines: The current baselines by version.
        heads: The newest run of each window that has one.
        store: Where the profiles are.
    """
    if not policy.earlier:
        return Held()
    since = _earliest(baselines, heads)
    asked = [
        (reference, tuple(reference.windows_before(window, policy.schedule, since)))
        for reference in policy.earlier
    ]
    every = {earlier for _, windows in asked for earlier in windows}
    profiles = store.profiles(policy.model, every & heads.keys())
    return Held(_compositions(asked, _Stored.of(baselines, profiles)), profiles)


def moved(
    policy: Policy,
    baselines: Mapping[str, Baseline],
    heads: Mapping[Window, RunHead],
    profiled: Mapping[Window, Profiled],
    known: Mapping[Window, Profiled],
) -> Iterator[Window]:
    """Yield the windows whose references are no longer what they were judged by, oldest first.

    An earlier window was run for the first time, or again on other data. Results of an earlier
    policy, or on an earlier baseline, are history and stay as they are.

    Args:
        policy: The model's policy.
        baselines: The current baselines by version.
        heads: The newest run of each window.
        profiled: What is stored of each window now.
        known: What was stored when all of them were right.
    """
    changed = [window for window, item in profiled.items() if known.get(window) != item]
    if not changed:
        return
    first = min(changed).start
    stored = _Stored.of(baselines, profiled)
    current = {(version, item.digest) for version, item in baselines.items()}
    windows = list(policy.schedule.windows(_earliest(baselines, heads), max(profiled).end))
    earlier_ones = [item.all_before(windows, policy.schedule.zone) for item in policy.earlier]
    for window, *asked in zip(windows, *earlier_ones, strict=True):
        head, mine = heads.get(window), profiled.get(window)
        if head is None or head.pruned or mine is None or window.start < first:
            continue
        if head.policy != policy.digest or not mine.baselines.items() <= current:
            continue
        made = _compositions(zip(policy.earlier, asked, strict=True), stored)
        used = tuple(item for item in made if item.version in mine.baselines)
        if head.identity not in _identities(mine.inputs, used):
            yield window


def _identities(inputs: str, used: tuple[Composition, ...]) -> Iterator[str]:
    """Yield the identities that a result may have that is still right.

    Whether some group of a version was small follows from the inputs, but is not known here: with
    the stretch for it, or without, only one of them can be what is stored.
    """
    stretches = [item for item in used if item.reference == STRETCH]
    others = tuple(item for item in used if item.reference != STRETCH)
    for size in range(len(stretches) + 1):
        for small in combinations(stretches, size):
            yield held_identity(inputs, (*others, *small))


class _Stored(Struct, frozen=True):
    """Where the windows of references are found.

    Attributes:
        baselines: Version to the digest of its current baseline.
        kept: Version to the windows of the baseline's period that have rows.
        profiled: What is stored of all other windows.
    """

    baselines: Mapping[str, str]
    kept: Mapping[str, frozenset[Window]]
    profiled: Mapping[Window, Profiled]

    @classmethod
    def of(
        cls, baselines: Mapping[str, Baseline], profiled: Mapping[Window, Profiled]
    ) -> "_Stored":
        return cls(
            {version: item.digest for version, item in baselines.items()},
            {version: frozenset(_kept(item)) for version, item in baselines.items()},
            profiled,
        )

    def inputs(self, version: str, window: Window) -> str:
        """Return the digest of what a window was profiled from; "" when it cannot be used.

        It can if it has rows of the version, on the grid of its current baseline.
        """
        if window in self.kept[version]:
            return self.baselines[version]
        stored = self.profiled.get(window)
        usable = stored and stored.baselines.get(version) == self.baselines[version]
        return stored.inputs if stored and usable else ""


def _compositions(
    asked: Iterable[tuple[Reference, Sequence[Window]]], stored: _Stored
) -> tuple[Composition, ...]:
    """Return what references are made of, of the windows that they ask for, for each version."""
    made: list[Composition] = []
    for reference, windows in asked:
        for version in stored.baselines:
            found = (
                (window, stored.inputs(version, window))
                for window in windows
                if reference.registered or window not in stored.kept[version]
            )
            parts = tuple((window, inputs) for window, inputs in found if inputs)
            made.append(Composition(version, reference.name, reference.windows, parts))
    return tuple(made)


def _earliest(baselines: Mapping[str, Baseline], heads: Mapping[Window, RunHead]) -> datetime:
    parts = (part.window.start for item in baselines.values() for part in item.parts)
    nothing = datetime.max.replace(tzinfo=UTC)
    return min([*(window.start for window in heads), *parts, nothing])


def _kept(baseline: Baseline) -> dict[Window, BaselinePart]:
    return {part.window: part for part in baseline.parts if part.rows}
