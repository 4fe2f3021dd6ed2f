"""Nothing is loaded that is not used: people and cron jobs call these commands again and again.

Checking a configuration loads neither statistics nor a database; looking at what is stored loads
no statistics, which are two thirds of what a run loads.
"""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAVY = ("numpy", "scipy", "pandas", "pyarrow", "sqlalchemy")
CHECK = f"""
import sys
from pathlib import Path
from monitor.config import daemon_file, model_file, schema, starter
model_file.load_policies(Path("config/models"))
print(*(name for name in {HEAVY} if name in sys.modules))
"""
LOOK = f"""
import sys
from monitor import app
from monitor.cli import alerts, authority, baseline, db, explain, governed, policy, quarantine, standing
app.open_store("sqlite://").baselines("credit")
print(*(name for name in {[*HEAVY, "alembic"]} if name in sys.modules))
"""


@pytest.mark.slow
def test_checking_models_imports_nothing_heavy():
    done = subprocess.run(
        [sys.executable, "-c", CHECK], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []


@pytest.mark.slow
def test_looking_at_the_store_imports_only_what_the_store_is_kept_by():
    done = subprocess.run(
        [sys.executable, "-c", LOOK], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["sqlalchemy"]
