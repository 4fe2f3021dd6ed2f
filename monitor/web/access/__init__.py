"""Who asks: tokens, people who log in at an issuer, people whom a proxy names."""
