"""One run from policy to stored findings, and the ports it needs from outside."""
