"""APScheduler as a trigger: it says when to look; the store says which windows are due."""
