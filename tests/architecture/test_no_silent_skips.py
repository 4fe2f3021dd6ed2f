"""The rule that no test may be skipped in CI, shown to bite."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).parents[1] / "conftest.py"

SKIPS = {
    "mark": "import pytest\n@pytest.mark.skip(reason='no database')\ndef test_it(): pass\n",
    "call": "import pytest\ndef test_it(): pytest.skip('no database')\n",
    "module": "import pytest\npytest.skip('no database', allow_module_level=True)\n",
    "import": "import pytest\npytest.importorskip('no_such_database')\n",
}


def run_pytest(folder, texts, ci):
    shutil.copy(CONFTEST, folder)
    for name, text in texts.items():
        (folder / f"test_{name}.py").write_text(text)
    environment = {name: value for name, value in os.environ.items() if name != "CI"}
    go_on = ("-p", "no:cacheprovider", "--continue-on-collection-errors")
    command = [sys.executable, "-m", "pytest", "-q", *go_on, str(folder)]
    return subprocess.run(
        command,
        cwd=folder,
        env=environment | ({"CI": "true"} if ci else {}),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_a_skip_fails_in_ci_and_names_the_test_and_an_expected_failure_is_none(tmp_path):
    expected = "import pytest\n@pytest.mark.xfail(strict=True)\ndef test_it(): assert False\n"
    done = run_pytest(tmp_path, SKIPS | {"expected": expected}, ci=True)
    assert done.returncode not in (0, 5), done.stdout
    for name in SKIPS:
        assert re.search(rf"test_{name}\.py\S* was skipped in CI", done.stdout), done.stdout
    assert "1 xfailed" in done.stdout
    assert "skipped" not in done.stdout.splitlines()[-1]


@pytest.mark.slow
def test_a_skip_is_allowed_at_a_desk(tmp_path):
    done = run_pytest(tmp_path, SKIPS, ci=False)
    assert done.returncode == 0, done.stdout
    assert "4 skipped" in done.stdout
