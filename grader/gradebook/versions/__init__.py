"""The steps by which the tables came to be what `tables` says, oldest first; Alembic runs them, see `schema`."""
