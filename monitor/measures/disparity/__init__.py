"""Outcomes of one group against another."""
