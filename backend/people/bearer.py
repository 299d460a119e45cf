"""JSON Web Tokens (RFC 7519): bearer tokens that end by themselves, given for a password.

Rules of this file:
- HS256 and nothing else, whatever the token itself says of it;
- `exp`, `iat`, `jti`, `sub` and our `iss` must be there; there is no leeway: who checks is who
  issued, by the same clock;
- a token is as good as its row in the database (its `jti` is the row's secret), so that one, or
  all of somebody, can be revoked;
- a signature is checked once, whether it has expired every time: checking takes 30 us, and
  programs send a thousand commands a second;
- the key is made once and kept in the database, which only its owner may read: tokens survive a
  restart.
"""

import hashlib
import secrets

import jwt
from peewee import IntegerField, TextField

from backend.database.models import Base

ALGORITHM = "HS256"
ISSUER = "answerback"
LIFE_MS = 15 * 60_000
LEEWAY_S = 0
KEY_BYTES = 32
VERIFIED_MAX = 1_000
_CLAIMS = ("exp", "iat", "jti", "sub", "iss")


class SigningKey(Base):
    """The one key (id 1), hexadecimal."""

    id = IntegerField(primary_key=True)
    key = TextField()


class Signer:
    """Makes and reads tokens. The database must be open when it is first used."""

    def __init__(self) -> None:
        self._loaded: bytes | None = None
        self._verified: dict[bytes, tuple[str, str, int]] = {}  # by digest, while they are used

    def sign(self, user: str, jti: str, issued_at: int, expires_at: int) -> str:
        """A token for a user; times are ms since 1970."""
        claims = {"iss": ISSUER, "sub": user, "jti": jti}
        times = {"iat": issued_at // 1000, "exp": expires_at // 1000}
        return jwt.encode(claims | times, self._key(), ALGORITHM)

    def read(self, text: str, now: int) -> tuple[str, str] | None:
        """(user, jti) of a token that we have signed and that has not expired, or None."""
        digest = hashlib.sha256(text.encode()).digest()
        found = self._verified.get(digest) or self._verify(text)
        if found is None or found[2] * 1000 <= now:
            return None
        if len(self._verified) >= VERIFIED_MAX:
            self._verified.clear()
        self._verified[digest] = found
        return found[:2]

    def _verify(self, text: str) -> tuple[str, str, int] | None:
        """(user, jti, exp), or None."""
        try:
            claims = jwt.decode(
                text,
                self._key(),
                algorithms=[ALGORITHM],
                issuer=ISSUER,
                leeway=LEEWAY_S,
                options={"require": list(_CLAIMS), "verify_iat": False},
            )
        except (jwt.InvalidTokenError, RecursionError):  # a head of nothing but brackets
            return None
        return claims["sub"], claims["jti"], int(claims["exp"])

    def _key(self) -> bytes:
        if self._loaded is None:
            self._loaded = _stored_key()
        return self._loaded


def _stored_key() -> bytes:
    fresh = {"id": 1, "key": secrets.token_hex(KEY_BYTES)}
    SigningKey.insert(fresh).on_conflict_ignore().execute()  # another process may have one
    return bytes.fromhex(SigningKey.get_by_id(1).key)
