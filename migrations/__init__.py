"""The way of the shared database from each version to the next, walked by Alembic."""
