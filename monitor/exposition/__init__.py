"""Results and the daemon's own condition as Prometheus text, from one catalogue of metrics."""
