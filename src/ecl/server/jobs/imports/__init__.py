"""Imports: tasks that bring an image's bytes from somewhere else into its stores."""
