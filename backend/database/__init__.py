"""The tables, how they are opened and brought up, the hot path's SQL, and what is let go."""
