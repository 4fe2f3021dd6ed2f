"""Who else keeps what the audit log was: asked over HTTP, or read from what they keep."""
