"""HTTP: health, readiness and the metrics page."""
