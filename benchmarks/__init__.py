"""Measures ecl-image beside its peers, side by side in one run: ``make bench``, see README.md."""
