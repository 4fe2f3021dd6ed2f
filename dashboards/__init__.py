"""What people look at in Grafana, and what Prometheus calls them for."""
