import subprocess
import sys

from monitor.exposition.reference import reference


def test_the_reference_is_what_the_catalogue_says(golden):
    golden("../../docs/reference/metrics.md", reference())


def test_the_module_prints_the_reference():
    command = [sys.executable, "-m", "monitor.exposition.reference"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == reference()
