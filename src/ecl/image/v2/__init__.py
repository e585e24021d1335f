"""Version 2 of the image API, with ECL's extensions."""
