"""Where profiles are built: the same task function mapped over threads or processes."""
