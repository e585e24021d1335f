"""Other regions as the jobs see them."""
