"""Data at addresses that clients name: which ones may be asked, and how their answers are read."""
