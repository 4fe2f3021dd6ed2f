"""Checking a configuration loads no statistics: it is run on every commit and at every start."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
HEAVY = ("numpy", "scipy", "pandas", "pyarrow", "sqlalchemy")
CHECK = f"""
import sys
from pathlib import Path
from monitor.config import daemon_file, model_file, schema, starter
model_file.load_policies(Path("config/models"))
print(*(name for name in {HEAVY} if name in sys.modules))
"""


def test_checking_models_imports_nothing_heavy():
    done = subprocess.run(
        [sys.executable, "-c", CHECK], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []
