"""The real logs that the product is accepted on, and where their reference answers are."""

import json
import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from msgspec.structs import replace

import monitor
from monitor.api import Comparison, Model
from monitor.app import read_policy
from monitor.domain.policy import Policy
from monitor.domain.window import Window

HERE = Path(__file__).parent
COMMITTED = {
    "taiwan_credit": HERE.parents[1] / "demo" / "taiwan_credit",
    "adult_control": HERE / "data" / "adult_control",
}
MORE = os.environ.get("MODELMON_ACCEPTANCE_DATA", "")
"""Folder with further sets, whose licences keep them out of the repository."""

REFERENCES = {
    "taiwan_credit": ("2005-04-01", "2005-06-01"),
    "acs_ma": ("2015-01-01", "2016-01-01"),
    "adult_control": ("2024-01-01", "2024-01-21"),
    "bank_marketing/2008-07-01_v1": ("2008-07-01", "2008-09-01"),
    "bank_marketing/2009-05-01_v2": ("2009-05-01", "2009-07-01"),
    "bike_sharing": ("2011-01-01", "2011-07-01"),
    "compas": ("2013-01-01", "2013-07-01"),
    "noaa_weather": ("1952-01-01", "1955-01-01"),
}


@dataclass(frozen=True)
class DataSet:
    """One log (and one model version of it) with its reference answers."""

    name: str
    folder: Path
    expected: dict
    version: str | None

    @property
    def kind(self) -> str:
        return self.name.partition("/")[0]


@cache
def datasets() -> tuple[DataSet, ...]:
    """Return the sets that are here: the committed ones, and those of `MORE`."""
    found = []
    for name in REFERENCES:
        kind, _, version = name.partition("/")
        folder = COMMITTED.get(kind)
        if folder is None and MORE:
            folder = Path(MORE) / kind
        if folder is None:
            continue
        expected = HERE / "data" / f"{kind}.json"
        if not expected.exists():
            expected = folder / "expected.json"
        answers = json.loads(expected.read_text())
        if version:
            answers = next(
                item for item in answers["versions_expected"] if item["model_version"] == version
            )
        found.append(DataSet(name, folder, answers, version or None))
    return tuple(found)


@cache
def opened(name: str) -> Model:
    """Return the model with its baseline registered, in memory."""
    data = next(item for item in datasets() if item.name == name)
    policy = read_policy(HERE / "configs" / f"{data.kind}.yaml")
    policy = replace(policy, directory=str(data.folder))
    model = monitor.open_model(policy)
    start, end = REFERENCES[name]
    model.register(start=start, end=end, why="the reference period", version=data.version)
    return model


@cache
def compared(name: str, window: str) -> Comparison:
    """Return the comparison of a named window of the reference answers."""
    model = opened(name)
    found = span(window, model.policy)
    return model.compare(start=found.start, end=found.end)


def span(name: str, policy: Policy) -> Window:
    """Return the window that the reference answers call so."""
    zone = ZoneInfo(policy.schedule.zone)

    def day(year: int, month: int = 1, date: int = 1) -> datetime:
        return datetime(year + (month - 1) // 12, (month - 1) % 12 + 1, date, tzinfo=zone)

    if name == "all":
        return Window(day(2000), day(2030))
    if name == "before-2014-04":
        return Window(day(2000), day(2014, 4))
    if match := re.fullmatch(r"week(\d)", name):
        begin = 1705795200 + (int(match[1]) - 1) * 7 * 86400  # 2024-01-21
        return Window(
            datetime.fromtimestamp(begin, UTC), datetime.fromtimestamp(begin + 7 * 86400, UTC)
        )
    if match := re.fullmatch(r"(\d{4})-(\d{4})", name):
        return Window(day(int(match[1])), day(int(match[2]) + 1))
    if match := re.fullmatch(r"(\d{4})-(\d{2})", name):
        return Window(day(int(match[1]), int(match[2])), day(int(match[1]), int(match[2]) + 1))
    if match := re.fullmatch(r"(\d{4})Q(\d)", name):
        month = 3 * int(match[2]) - 2
        return Window(day(int(match[1]), month), day(int(match[1]), month + 3))
    return Window(day(int(name)), day(int(name) + 1))
