"""How often equal groups are called unequal: ours beside the peers', on the same windows."""

import argparse
import json
import os
import subprocess
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.alarms.rates import Rate
from benchmarks.bias import ours
from benchmarks.bias.scenarios import CHANGES, FOUND, NULL, Change, Scenario
from benchmarks.run import HERE, PEERS, WORK, Peer, machine

SEED = 20_261_122
WINDOWS, PEER_WINDOWS = 1_500, 300

NO_GOAL = 0.0
FAIRLEARN = Peer("Fairlearn 0.15.0", "fairlearn_bias", ("fairlearn==0.15.0", "pandas<3"), NO_GOAL)
AEQUITAS = Peer(
    "Aequitas 1.1.0", "aequitas_bias", ("aequitas==1.1.0", "pandas<3", "setuptools<81"), NO_GOAL
)
AIF360 = Peer(
    "AIF360 0.6.1", "aif360_bias", ("aif360==0.6.1", "pandas<3", "setuptools<81"), NO_GOAL
)
CLARIFY = Peer("Clarify (smclarify 0.5)", "clarify_bias", ("smclarify==0.5", "pandas<3"), NO_GOAL)
FAIRPIPE = Peer("fairpipe 0.12.0", "fairpipe_bias", ("fairpipe==0.12.0", "pandas<3"), NO_GOAL)
PEERS_OF_BIAS = (FAIRLEARN, AEQUITAS, AIF360, CLARIFY, FAIRPIPE)
CHANGE_SCRIPT = "clarify_change"

TITLE = "# How often equal groups are called unequal\n"
TOLD = HERE / "bias" / "NOTE.md"

Counts = tuple[Sequence[int], Sequence[int]]
"""Rows of each group, and the positive decisions among them."""


def said_by(peer: Peer, windows: Iterable[Counts], script: str = "") -> list[bool]:
    """Return what a peer says of each window, or of each pair of windows."""
    WORK.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=WORK) as folder:
        file = Path(folder, "windows.jsonl")
        lines = [
            json.dumps({"groups": ours.names(len(rows)), "rows": rows, "positive": positive})
            for rows, positive in windows
        ]
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        command = [
            str(PEERS / peer.script / "bin" / "python"),
            str(HERE / "peers" / f"{script or peer.script}.py"),
            str(file),
        ]
        done = subprocess.run(
            command, env=dict(os.environ), capture_output=True, text=True, check=False
        )
    if done.returncode:
        raise RuntimeError(f"{peer.name} failed:\n{done.stderr}")
    return [json.loads(line) for line in done.stdout.splitlines() if line in {"true", "false"}]


def windows_table(scenarios: Iterable[Scenario], windows: int, of_peers: int) -> list[str]:
    """Return how many windows each tool calls unequal."""
    heads = [peer.name for peer in PEERS_OF_BIAS]
    lines = [
        (
            "| rows of the groups | rate | last group's ratio | promise | **modelmon: alarm** "
            f"| modelmon: finding | {' | '.join(heads)} |"
        ),
        "|---|---:|---:|---:|---:|---:|" + "---:|" * len(heads),
    ]
    for scenario in scenarios:
        drawn = [row.tolist() for row in scenario.draw(windows, SEED)]
        names = ours.names(len(scenario.rows))
        meant = frozenset(names if scenario.null else names[-1:])
        said = ours.said(scenario.rows, drawn)
        findings = Rate.of(bool(window.beyond & meant) for window in said)
        alarms = Rate.of(bool(window.firing & meant) for window in said[1:])
        theirs = [
            Rate.of(said_by(peer, [(scenario.rows, row) for row in drawn[:of_peers]]))
            for peer in PEERS_OF_BIAS
        ]
        sign = "≤" if scenario.null else "≥"
        promise = f"{sign} {100 * scenario.promise:.0f} %" if scenario.promise else "none"
        lines.append(
            f"| {scenario.told} | {scenario.rate:g} | {scenario.ratio:g} | {promise} | **{alarms}** "
            f"| {findings} | {' | '.join(map(str, theirs))} |"
        )
    return lines


def changes_table(changes: Iterable[Change], windows: int, of_peers: int) -> list[str]:
    """Return how many changes since a baseline each tool calls one."""
    lines = [
        f"| rows of the groups | rate | ratio then → now | **modelmon** | {CLARIFY.name}, documented rule |",
        "|---|---:|---:|---:|---:|",
    ]
    for change in changes:
        drawn = list(change.draw(windows, SEED))
        found = Rate.of(
            bool(ours.changed(change.before, before, change.now, now)) for before, now in drawn
        )
        pairs = [
            side
            for before, now in drawn[:of_peers]
            for side in ((change.before, before), (change.now, now))
        ]
        theirs = Rate.of(said_by(CLARIFY, pairs, CHANGE_SCRIPT))
        then, now = change.ratios
        lines.append(
            f"| {change.told} | {change.rate:g} | {then:g} → {now:g} | **{found}** | {theirs} |"
        )
    return lines


def main() -> None:
    """Install the peers, draw, judge and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--windows", type=int, default=WINDOWS, help="of ours in each line")
    parser.add_argument("--peer-windows", type=int, default=PEER_WINDOWS, help="of theirs")
    parser.add_argument("--output", type=Path, default=HERE / "BIAS.md")
    asked = parser.parse_args()
    for peer in PEERS_OF_BIAS:
        peer.install()
    effort = asked.windows, asked.peer_windows
    now = datetime.now(UTC)  # noqa: TID251  # the date of the figures
    page = [
        TITLE,
        f"{now:%Y-%m-%d}, seed {SEED}, {machine()}.\n",
        TOLD.read_text(encoding="utf-8"),
        "## Nobody is treated beyond the band\n",
        *windows_table(NULL, *effort),
        "\n## The last group is\n",
        *windows_table(FOUND, *effort),
        "\n## A change of the ratio since the baseline\n",
        *changes_table(CHANGES, *effort),
        "",
    ]
    asked.output.write_text("\n".join(page), encoding="utf-8")
    print(asked.output.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
