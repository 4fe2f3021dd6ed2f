"""Registering a baseline: grid, exact counts, and how it varies in itself."""

from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256

from msgspec import Struct
from msgspec.structs import replace

from monitor.domain.baseline import Baseline, BaselinePart
from monitor.domain.errors import BaselineError
from monitor.domain.manifest import LogFile, Manifest, UnreadableFile
from monitor.domain.policy import Policy
from monitor.domain.schedule import Schedule
from monitor.domain.window import Window
from monitor.engine.counting import bundled
from monitor.engine.ports import Compute, Scan, Source
from monitor.engine.progress import Progress
from monitor.engine.run import Outside
from monitor.profile.codec import grid_to_bytes, profile_from_bytes, profile_to_bytes
from monitor.profile.draft import is_coarse
from monitor.profile.grid import Grid
from monitor.profile.packing import content_digest
from monitor.profile.profile import Profile, added_up

MOST_VERSIONS = 50
"""Versions that are registered at once: each is a pass over the period, and the column may be an
id."""


class Registration(Struct, frozen=True):
    """Who registers, and why: recorded with the baseline, not part of its digest."""

    by: str
    why: str


class Registered(Struct, frozen=True):
    """A baseline, and whether registering it changed anything."""

    baseline: Baseline
    new: bool


def register_baselines(
    policy: Policy,
    source: Source,
    window: Window,
    *,
    registration: Registration,
    outside: Outside,
    progress: Progress,
    version: str | None = None,
) -> tuple[Registered, ...]:
    """Freeze and store a baseline of each version that has rows in a period.

    Args:
        policy: The model's policy: fields, groups, decision and label are frozen as it has them.
        source: Where the rows come from: the model's own log, or another one.
        window: The period.
        registration: Who and why.
        outside: Store, compute, clock.
        progress: Told as rows are read.
        version: Only this version; None for all.

    Raises:
        BaselineError: There are no rows, or none of the version.
        SourceError: The source cannot be reached, or a file of the period cannot be read: a
            baseline is either whole or not registered.
    """
    scan = source.scan(window)
    _require_whole(scan.manifest.unreadable)
    present = source.versions(scan)
    wanted = present if version is None else [version]
    if not present or not set(wanted) <= set(present):
        what = f"version {version}" if version is not None else policy.model
        here = f"; versions with rows: {', '.join(present)}" if present else ""
        raise BaselineError(f"{what} has no rows in {window}{here}")
    if len(wanted) > MOST_VERSIONS:
        raise BaselineError(
            f"{policy.model} has rows of {len(wanted):,} versions in {window}; is "
            f"{policy.source.version!r} the version? Register one at a time with --version"
        )
    done: list[Registered] = []
    for name in wanted:
        contents = _counted(policy, source, scan, name, outside.compute, progress)
        baseline = _baseline(contents, registration, outside)
        done.append(Registered(baseline, outside.store.register(baseline)))
    return tuple(done)


def sub_windows(window: Window, schedule: Schedule) -> Iterator[Window]:
    """Yield the window cut wherever the schedule cuts, its ends included."""
    start = window.start
    while start < window.end:
        end = min(schedule.window_at(start).end, window.end)
        yield Window(start, end)
        start = end


class _Contents(Struct, frozen=True):
    model: str
    version: str
    window: Window
    grid: Grid
    profile: Profile
    parts: tuple[BaselinePart, ...]
    manifests: tuple[Manifest, ...]


def _counted(  # noqa: PLR0917  # six nouns, each of another type
    policy: Policy,
    source: Source,
    scan: Scan,
    version: str,
    compute: Compute,
    progress: Progress,
) -> _Contents:
    """Draft a grid and count all rows on it; draft it again where they show that it is coarse."""
    pieces = tuple(sub_windows(scan.window, policy.schedule))

    def on(grid: Grid) -> _Contents:
        counted = [_count_part(source, piece, version, grid, compute, progress) for piece in pieces]
        parts, manifests = zip(*counted, strict=True)
        total = added_up(profile_from_bytes(part.profile) for part in parts)
        return _Contents(policy.model, version, scan.window, grid, total, parts, manifests)

    contents = on(source.draft(scan, version))
    if is_coarse(contents.grid, contents.profile):
        better = source.draft(scan, version, thorough=True)
        if better.digest != contents.grid.digest:
            del contents
            return on(better)
    return contents


def _count_part(  # noqa: PLR0917  # six nouns, each of another type
    source: Source,
    piece: Window,
    version: str,
    grid: Grid,
    compute: Compute,
    progress: Progress,
) -> tuple[BaselinePart, Manifest]:
    """Return a part and the files it is of; of what was counted no more than the bytes is held."""
    scan = source.scan(piece)
    count = source.counter(scan, {version: grid}).complete()
    counted = compute.count(bundled(scan.tasks), count, progress)
    _require_whole((*scan.manifest.unreadable, *counted.unreadable))
    profile = counted.profiles.get(version) or Profile.empty(grid)
    return BaselinePart(piece, profile.rows, profile_to_bytes(profile)), scan.manifest


def _require_whole(broken: Sequence[UnreadableFile]) -> None:
    if broken:
        told = "; ".join(f"{file.path}: {file.explanation}" for file in broken)
        raise BaselineError(f"a baseline needs every file of its period: {told}")


def _baseline(contents: _Contents, registration: Registration, outside: Outside) -> Baseline:
    parts = contents.parts
    # One part is the whole.
    profile = parts[0].profile if len(parts) == 1 else profile_to_bytes(contents.profile)
    baseline = Baseline(
        digest="",
        model=contents.model,
        version=contents.version,
        window=contents.window,
        rows=sum(part.rows for part in parts),
        grid=grid_to_bytes(contents.grid),
        profile=profile,
        parts=parts,
        manifest=_joined(contents.manifests),
        registered_at=outside.clock.now(),
        registered_by=registration.by,
        why=registration.why,
        code=outside.code,
    )
    return replace(baseline, digest=baseline_digest(baseline))


def baseline_digest(baseline: Baseline) -> str:
    """Return the digest of what a baseline holds, not of the circumstances of its registration."""
    profiles = [baseline.profile, *(part.profile for part in baseline.parts)]
    of = {data: content_digest(data) for data in {baseline.grid, *profiles}}
    digested = (
        baseline.model,
        baseline.version,
        str(baseline.window),
        of[baseline.grid],
        *(of[data] for data in profiles),
    )
    return sha256("\x1f".join(digested).encode("utf-8", "surrogatepass")).hexdigest()


def _joined(manifests: Iterable[Manifest]) -> Manifest:
    # A file may reach over two parts; it is named once.
    files: dict[str, LogFile] = {}
    labels: dict[str, LogFile] = {}
    protected: dict[str, LogFile] = {}
    for manifest in manifests:
        files.update((file.path, file) for file in manifest.files)
        labels.update((file.path, file) for file in manifest.labels)
        protected.update((file.path, file) for file in manifest.protected)
    return Manifest(
        tuple(files[path] for path in sorted(files)),
        tuple(labels[path] for path in sorted(labels)),
        snapshots=tuple(dict.fromkeys(item for each in manifests for item in each.snapshots)),
        protected=tuple(protected[path] for path in sorted(protected)),
    )
