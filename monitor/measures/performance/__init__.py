"""The model against its labels."""
