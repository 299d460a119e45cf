"""The common tables, the file they lie in, the hot path's SQL, and what is let go again.

`backend.schema` has all the tables there are, and brings an older database up.
"""
