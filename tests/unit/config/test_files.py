import pytest

from monitor.config.files import ConfigFiles, change_between
from monitor.domain.errors import ConfigError

MODEL = """\
model: {name}
source: {{path: log, event_time: at}}
fields: {{amount: numeric}}
schedule: {{window: day}}
limits: {{drift: {{psi: {{warning: {warning}}}}}}}
"""

DATABASE = "postgresql://monitor:hunter2@db/monitor"


@pytest.fixture
def files(tmp_path):
    class Folder:
        path = tmp_path / "modelmon.yaml"

        def settings(self, text):
            self.path.write_text(text)

        def model(self, name, warning=0.1):
            (tmp_path / "models").mkdir(exist_ok=True)
            path = tmp_path / "models" / f"{name}.yaml"
            path.write_text(MODEL.format(name=name, warning=warning))
            return path

        def read(self, **options):
            return ConfigFiles(self.path, {}, **options).read()

    folder = Folder()
    folder.settings("")
    return folder


def test_a_change_names_what_is_new_gone_and_different_with_digests(files):
    files.model("a")
    gone = files.model("b")
    files.model("c")
    before = files.read()
    gone.unlink()
    files.model("c", warning=0.2)
    files.model("d")
    change = change_between(before, files.read())
    assert [(item.model, bool(item.before), bool(item.after)) for item in change.models] == [
        ("b", True, False),
        ("c", True, True),
        ("d", False, True),
    ]
    assert change.models[0].diff == change.models[2].diff == ()
    lines = [line.strip("+- ") for line in change.models[1].diff if line[0] in "+-"]
    assert lines == ["warning: 0.1", "warning: 0.2"]
    assert change.models[1].before[:12] in str(change)
    assert change.settings == ()


def test_comments_and_order_are_no_change(files):
    path = files.model("a")
    before = files.read()
    lines = path.read_text().splitlines()
    path.write_text("# why\n" + "\n".join(reversed(lines)) + "\n")
    after = files.read()
    assert str(change_between(before, after)) == "nothing changed"
    assert before.digest == after.digest


def test_the_digest_covers_settings_and_every_model(files):
    files.model("a")
    digests = [files.read().digest]
    files.settings("check_every: 5s\n")
    digests.append(files.read().digest)
    files.model("b")
    digests.append(files.read().digest)
    files.model("b", warning=0.2)
    digests.append(files.read().digest)
    assert len(set(digests)) == 4


def test_no_password_is_in_a_diff(files):
    files.model("a")
    before = files.read()
    files.settings(f"store: {{url: '{DATABASE}'}}\n")
    change = change_between(before, files.read())
    assert any("monitor:***@db" in line for line in change.settings)
    assert "hunter2" not in str(change)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("store: {url: sqlite:///other.db}\n", "1:14: store.url"),
        ("web:\n  port: 1\n", "2:9: web.port"),
        ("web: {host: 0.0.0.0}\n", "1:13: web.host"),
        ("web: {reload: true}\n", "1:15: web.reload"),
        ("compute: {workers: 3}\n", "1:20: compute.workers"),
        ("compute: {processes: true}\n", "1:22: compute.processes"),
    ],
)
def test_a_setting_of_the_start_is_a_problem_at_its_line(files, text, where):
    files.model("a")
    source = ConfigFiles(files.path, {})
    before = source.read()
    files.settings(text)
    with pytest.raises(ConfigError) as refused:
        source.read_again(before)
    (problem,) = refused.value.problems
    assert str(problem).startswith(f"{files.path}:{where}: takes effect at the start only: ")


def test_what_the_command_line_says_is_not_the_files_affair(files):
    files.model("a")
    source = ConfigFiles(files.path, {}, host="::1", port=0)
    before = source.read()
    assert (before.settings.host, before.settings.port) == ("::1", 0)
    files.settings("web: {host: 0.0.0.0, port: 8080}\ncheck_every: 5s\nlog: {level: debug}\n")
    after = source.read_again(before)
    assert (after.settings.host, after.settings.port) == ("::1", 0)
    assert len([line for line in change_between(before, after).settings if line[0] in "+-"]) == 4


def test_problems_of_all_models_are_named_at_once(files):
    files.model("a")
    before = files.read()
    files.model("a", warning="high")
    files.model("b", warning="low")
    with pytest.raises(ConfigError) as refused:
        ConfigFiles(files.path, {}).read_again(before)
    assert {problem.file.rpartition("/")[2] for problem in refused.value.problems} == {
        "a.yaml",
        "b.yaml",
    }
