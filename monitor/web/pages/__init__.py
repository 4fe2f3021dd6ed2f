"""Pages for people: server-rendered, without script, each chart beside a table."""
