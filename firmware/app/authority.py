"""Whom a board believes that a broker is the one it says it is."""

import ssl


def context(certificate):
    """The context of TLS for who has this authority's word. Raises ValueError."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.verify_mode = ssl.CERT_REQUIRED  # type: ignore[attr-defined]
    try:
        made.load_verify_locations(cadata=certificate or b"")
    except ValueError:
        raise ValueError("must name a certificate in DER on the board (openssl x509 -outform der)")
    return made
