"""A command's way: asked for, sent, asked about, answered; with one writer and one core."""
