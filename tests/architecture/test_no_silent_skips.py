"""The rule that no test may be skipped in CI, shown to bite."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).parents[1] / "conftest.py"

SKIPS = {
    "a mark": "import pytest\n@pytest.mark.skip(reason='no database')\ndef test_it(): pass\n",
    "a call": "import pytest\ndef test_it(): pytest.skip('no database')\n",
    "a module": "import pytest\npytest.skip('no database', allow_module_level=True)\n",
    "an import": "import pytest\npytest.importorskip('no_such_database')\n",
}


def run_pytest(folder, text, ci):
    shutil.copy(CONFTEST, folder)
    (folder / "test_skipping.py").write_text(text)
    environment = {name: value for name, value in os.environ.items() if name != "CI"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(folder)]
    return subprocess.run(
        command,
        cwd=folder,
        env=environment | ({"CI": "true"} if ci else {}),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.parametrize("text", SKIPS.values(), ids=SKIPS)
def test_a_skip_fails_in_ci_and_names_the_test(tmp_path, text):
    done = run_pytest(tmp_path, text, ci=True)
    assert done.returncode not in (0, 5), done.stdout
    assert "test_skipping.py" in done.stdout
    assert "was skipped in CI" in done.stdout


@pytest.mark.slow
def test_a_skip_is_allowed_at_a_desk(tmp_path):
    done = run_pytest(tmp_path, SKIPS["a mark"], ci=False)
    assert done.returncode == 0, done.stdout
    assert "1 skipped" in done.stdout


@pytest.mark.slow
def test_an_expected_failure_is_no_skip(tmp_path):
    text = "import pytest\n@pytest.mark.xfail(strict=True)\ndef test_it(): assert False\n"
    done = run_pytest(tmp_path, text, ci=True)
    assert done.returncode == 0, done.stdout
    assert "1 xfailed" in done.stdout
