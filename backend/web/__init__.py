"""The web side: the API under /api/v1, its description, the event stream and the page.

It knows the rest of the backend as three objects it is given (`backend`, `accounts`, `settings`)
and nothing of databases, brokers or boards. Only this package imports bottle and waitress.
"""
