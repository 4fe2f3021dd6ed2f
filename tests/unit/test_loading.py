import subprocess
import sys

import pytest

from tests.commands import ROOT

MODEL = ROOT / "config" / "models" / "card-late-payment.yaml"


def said_by(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True
    )
    return done.stdout.strip()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("others", "left_out"), [("[]", True), ("[[] for _ in range(100_000)]", False)]
)
def test_only_a_process_that_has_just_begun_leaves_what_is_loaded_out_of_collections(
    others, left_out
):
    code = f"import gc, monitor; kept = {others}; monitor.open_model; print(gc.get_freeze_count() > 0, gc.isenabled())"
    assert said_by(code) == f"{left_out} True"


@pytest.mark.slow
def test_what_somebody_has_left_out_of_collections_stays_so():
    code = """
import gc, monitor
kept = [[] for _ in range(100_000)]
gc.freeze()
monitor.open_model
print(gc.get_freeze_count() > 100_000)
"""
    assert said_by(code) == "True"


@pytest.mark.slow
def test_who_opens_models_again_and_again_keeps_no_garbage():
    code = f"""
import gc, weakref, monitor
monitor.open_model({str(MODEL)!r})
class Node: pass
node = Node(); node.itself = node
gone, left_out = weakref.ref(node), gc.get_freeze_count()
monitor.open_model({str(MODEL)!r})
del node
gc.collect()
print(left_out > 0, gc.get_freeze_count() <= left_out, gone() is None)
"""
    assert said_by(code) == "True True True"


@pytest.mark.slow
def test_garbage_of_others_is_collected_still():
    code = """
import gc, weakref, monitor
class Node: pass
kept = [[] for _ in range(100_000)]
node = Node(); node.itself = node
gone = weakref.ref(node)
monitor.open_model
del node
gc.collect()
print(gone() is None)
"""
    assert said_by(code) == "True"


@pytest.mark.slow
def test_a_command_that_computes_leaves_what_it_loads_out_of_collections(tmp_path):
    settings = tmp_path / "modelmon.yaml"
    settings.write_text(f"models: {MODEL.parent}\nstore: sqlite://\n", encoding="utf-8")
    code = f"""
import gc
from monitor.cli.main import run
run(["--config", {str(settings)!r}, "alerts", "list"]), gc.get_freeze_count()
before = gc.get_freeze_count()
run(["--config", {str(settings)!r}, "run", "--from", "2020-01-01", "--to", "2020-01-02", "--output", "json"])
print(before, gc.get_freeze_count() > 50_000)
"""
    assert said_by(code).splitlines()[-1] == "0 True"


@pytest.mark.slow
def test_a_database_is_one_file_when_a_command_is_over(tmp_path):
    settings = tmp_path / "config" / "modelmon.yaml"
    settings.parent.mkdir()
    settings.write_text(f"models: {MODEL.parent}\n", encoding="utf-8")
    for words in (["db", "upgrade"], ["baseline", "list"]):
        command = [sys.executable, "-m", "monitor", "--config", str(settings), *words]
        subprocess.run(command, check=True, cwd=tmp_path, capture_output=True)
    database = next(tmp_path.rglob("*.db"))
    assert [path.name for path in database.parent.glob(f"{database.name}*")] == [database.name]
