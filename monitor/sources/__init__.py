"""Where inference logs and labels are read: parquet datasets, their manifests and label tables."""
