"""The nouns, in the standard library and msgspec's records only."""
