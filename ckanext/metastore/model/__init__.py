"""The tables and all that is asked of them. SQLAlchemy is used here and in ``migration/`` only."""
