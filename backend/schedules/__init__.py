"""Commands for later, again and again, and to many boards at once."""
