"""Checks of the stored data: compare it with the database, repair it, all at once or slowly in the background."""
