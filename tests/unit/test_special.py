import subprocess
import sys

import pytest
import scipy.special

from monitor import special
from tests.commands import ROOT


def said_by(code: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
        env=environment,
    )
    return done.stdout.strip()


@pytest.mark.parametrize("name", special.__all__)
def test_each_function_is_that_of_scipy(name):
    assert getattr(special, name) is getattr(scipy.special, name)


def test_no_other_module_imports_the_package():
    modules = (ROOT / "monitor").rglob("*.py")
    assert [path.name for path in modules if "scipy.special import" in path.read_text("utf-8")] == [
        "special.py"
    ]


@pytest.mark.slow
def test_the_functions_come_without_the_package_around_them():
    code = """
import sys, monitor.special
print(*({"scipy.special", "numpy.random", "numpy.ma", "numpy.testing"} & set(sys.modules)))
"""
    assert said_by(code) == ""


@pytest.mark.slow
@pytest.mark.parametrize(
    "imports",
    ["monitor.special, scipy.special, scipy.stats", "scipy.stats, scipy.special, monitor.special"],
)
def test_whoever_else_imports_the_package_gets_it_whole(imports):
    code = f"""
import {imports}
same = all(getattr(scipy.special, name) is getattr(monitor.special, name) for name in monitor.special.__all__)
print(same, len(scipy.special.__all__) > 200, scipy.special._ufuncs.ndtr is monitor.special.ndtr)
print(scipy.stats.norm.cdf(0.0), scipy.special.softmax([0.0, 0.0]))
"""
    assert said_by(code).splitlines() == ["True True True", "0.5 [0.5 0.5]"]


@pytest.mark.slow
def test_a_package_that_looks_after_other_arrays_is_imported_whole():
    code = "import sys, monitor.special; print('scipy.special' in sys.modules, monitor.special.ndtr(0.0))"
    assert said_by(code, SCIPY_ARRAY_API="1") == "True 0.5"


@pytest.mark.slow
def test_where_a_version_of_scipy_keeps_a_function_elsewhere_the_package_is_imported_whole():
    code = """
import sys
from monitor.special import _compiled_alone
with _compiled_alone(["ndtr", "softmax"]):  # the one is compiled, the other is not
    from scipy.special import ndtr, softmax
print(ndtr(0.0), softmax([0.0, 0.0]), len(sys.modules["scipy.special"].__all__) > 200)
"""
    assert said_by(code) == "0.5 [0.5 0.5] True"
