"""Who is asking: the Keystone v3 subset that the service carries with it."""
