"""Copies of images between regions: who can receive one, and the jobs that do it."""
