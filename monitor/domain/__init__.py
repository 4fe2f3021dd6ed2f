"""The nouns, in the standard library only."""
