"""Jobs that copy images to other regions."""
