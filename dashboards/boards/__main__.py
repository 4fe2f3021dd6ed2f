"""Write every dashboard as JSON."""

from pathlib import Path

from dashboards.boards.every import BOARDS, written

FOLDER = Path(__file__).parents[1] / "grafana"

if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, made in BOARDS.items():
        (FOLDER / f"{name}.json").write_text(written(made()), encoding="utf-8")
