"""The service killed under load, again and again, and what was acknowledged held against what is there."""
