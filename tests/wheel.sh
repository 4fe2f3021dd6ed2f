#!/usr/bin/env bash
# The wheel, built and run where nothing but the wheel and what it asks for is installed.
set -euo pipefail
python=${PYTHON:-python3}
repository=$(cd "$(dirname "$0")/.." && pwd)
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT

"$python" -m build --installer uv --wheel --outdir "$place/dist" "$repository" >"$place/build.log" 2>&1 ||
  "$python" -m build --wheel --outdir "$place/dist" "$repository" >"$place/build.log" || {
  cat "$place/build.log"
  exit 1
}
"$python" -m venv "$place/venv"
there=$place/venv/bin/python
# uv takes a sixth of pip's time, and does not read pip's settings: where it finds no index, pip does it.
"$python" -m uv pip install --quiet --python "$there" "$place"/dist/modelmon-*.whl ||
  "$there" -m pip install --quiet "$place"/dist/modelmon-*.whl

# Elsewhere than the checkout, so that `import monitor` can only mean the wheel.
mkdir "$place/elsewhere"
cd "$place/elsewhere"
export PATH="$place/venv/bin:$PATH"
python -m pip check
modelmon --version
modelmon --help >help.txt
grep -q serve help.txt
mkdir -p config/models
modelmon init "$repository/demo/taiwan_credit/log" --model first --write config/models/first.yaml
modelmon config check config/models/first.yaml
modelmon dashboards --write boards
diff -r --exclude=modelmon.rules.yml "$repository/dashboards/grafana" boards
diff "$repository/dashboards/rules/modelmon.rules.yml" boards/modelmon.rules.yml
