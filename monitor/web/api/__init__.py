"""The JSON interface: one catalogue of what can be asked, checked and documented in one place."""
