"""What tests may do to a running service: faults, a journal, a clock to move. Loaded if the settings ask for it."""
