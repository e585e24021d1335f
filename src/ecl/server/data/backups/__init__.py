"""Backups: a consistent copy of the database and of the data that it names, and the way back."""
