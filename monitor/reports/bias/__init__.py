"""The report on disparities that governance staff sign: one document, several forms of it."""
