"""SQLAlchemy tables, Alembic migrations and the queries over them."""
