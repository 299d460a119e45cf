"""The web side: the API under /api/v1, its description, the event stream and the page.

It knows the rest of the backend as three objects it is given (`backend`, `accounts`, `settings`)
and nothing of brokers or boards; of databases only that one may be busy. Only this package
imports bottle and waitress.
"""
