"""The Grafana dashboards as code; ``python -m dashboards.boards`` writes ``dashboards/grafana``."""
