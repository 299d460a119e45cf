"""JWTs: given for a password, good for a while, revocable; and every way to forge one."""

import base64
import json
import threading
import time
from typing import Any

import jwt
import pytest

from backend.errors import Conflict
from backend.people.accounts import Accounts
from backend.people.bearer import ISSUER, LIFE_MS, Signer, SigningKey
from backend.people.credentials import JWT, Credential, User
from backend.people.users import People
from tests.backend.running import PATIENCE
from tests.web.site import QUICK_HASHER, Client, Site
from tests.web.test_accounts import START, Clock, SlowHasher, accounts, clock
from tests.web.village import PASSWORD, TEST, Village, add_user

__all__ = ["accounts", "clock"]


def grant(village: Village, user: str = "oda") -> str:
    """A fresh JWT of somebody."""
    reply = village.running.client().call("POST", "token", {"user": user, "password": PASSWORD})
    assert reply.status == 200
    assert (reply.json["token_type"], reply.json["expires_in"]) == ("Bearer", LIFE_MS // 1000)
    return str(reply.json["access_token"])


def status(village: Village, secret: str) -> int:
    """What the API answers to it."""
    return village.bearing(secret).call("GET", "boards").status


def claims(token: str) -> dict[str, Any]:
    return dict(jwt.decode(token, options={"verify_signature": False}))


def key() -> bytes:
    return bytes.fromhex(SigningKey.get_by_id(1).key)


def part(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def test_it_is_as_good_as_its_user_and_is_recorded(village: Village) -> None:
    client = village.bearing(grant(village))
    assert village.ping("pond", client)["via"] == "jwt"
    assert client.call("GET", "session").json["kind"] == "jwt"
    assert client.call("GET", "boards/lake").status == 403
    assert client.call("GET", "boards/well").status == 404


def test_a_wrong_password_gives_none(site: Site, village: Village) -> None:
    for user in ("vic", "nobody at all"):
        reply = site.client().call("POST", "token", {"user": user, "password": "wrong"})
        assert (reply.status, reply.json["error"]) == (401, "wrong_password")


def test_one_is_given_up_and_all_are_ended(village: Village) -> None:
    one, other = grant(village), grant(village)
    assert village.bearing(one).call("DELETE", "token").status == 204
    assert (status(village, one), status(village, other)) == (401, 200)
    listed = village.client("oda").call("GET", "tokens").json["tokens"]
    assert "jwt" in [row["kind"] for row in listed]
    assert village.client("vic").call("DELETE", "users/oda/sessions").status == 403
    assert village.client("oda").call("DELETE", "users/oda/sessions").status == 204
    assert status(village, other) == 401


def test_an_administrator_revokes_one_by_its_id(village: Village) -> None:
    token, admin = grant(village), village.client("admin")
    rows = [row for row in admin.call("GET", "tokens").json["tokens"] if row["kind"] == "jwt"]
    assert admin.call("DELETE", f"tokens/{rows[-1]['id']}").status == 204
    assert status(village, token) == 401


def test_it_ends_with_its_user_and_with_the_password(village: Village) -> None:
    add_user(village.accounts, "tom")
    token = grant(village, "tom")
    village.people.set_password(TEST, "tom", PASSWORD)
    assert status(village, token) == 401
    token = grant(village, "tom")
    village.people.remove(TEST, "tom")
    assert status(village, token) == 401
    add_user(village.accounts, "tom")  # another one of the same name
    assert status(village, token) == 401


@pytest.mark.filterwarnings("ignore:The HMAC key")
def test_forged_ones_are_nobodys(village: Village) -> None:
    token, others = grant(village), grant(village, "vic")
    good = claims(token)
    assert status(village, jwt.encode(good, key(), "HS256")) == 200  # what follows is one change
    past = {"iat": int(time.time()) - 60, "exp": int(time.time()) - 1}
    wrong = [
        jwt.encode(good, "x" * 32, "HS256"),
        jwt.encode(good, key(), "HS512"),
        jwt.encode(good, "", "none"),
        jwt.encode({**good, **past}, key(), "HS256"),
        jwt.encode({**good, "iss": "somebody"}, key(), "HS256"),
        jwt.encode({**good, "sub": "admin"}, key(), "HS256"),
        jwt.encode({**good, "jti": claims(others)["jti"]}, key(), "HS256"),
        jwt.encode({**good, "jti": "made up"}, key(), "HS256"),
        *(jwt.encode({n: v for n, v in good.items() if n != name}, key(), "HS256")
          for name in good),
        token[:-4] + "AAAA",
        ".".join([part({"alg": "none"}), token.split(".")[1], ""]),
        ".".join([part("[" * 6000), *token.split(".")[1:]]),
        token + "." + token,
        "..",
    ]  # fmt: skip
    assert [status(village, one) for one in wrong] == [401] * len(wrong)
    assert status(village, token) == 200


def test_a_session_or_a_token_in_its_place_is_nobodys(village: Village) -> None:
    oda = village.browser("oda")
    secret = oda.headers["Cookie"].split("=", 1)[1]
    token = village.client("oda").headers["Authorization"].split()[1]
    for jti in (secret, token):
        mixed = jwt.encode({**claims(grant(village)), "jti": jti}, key(), "HS256")
        assert status(village, mixed) == 401


def test_a_cookie_beside_it_asks_for_no_csrf_token_and_gives_nothing(village: Village) -> None:
    oda = village.browser("oda")
    del oda.headers["X-CSRF-Token"]
    oda.headers["Authorization"] = f"Bearer {grant(village, 'vic')}"
    body = {"board_id": "pond", "command_type": "ping"}
    assert oda.call("POST", "commands", body).json["error"] == "forbidden"


def test_it_survives_a_restart(accounts: Accounts, clock: Clock) -> None:
    password = accounts.ensure_admin()
    assert password
    token = accounts.grant("admin", password, "::1")
    assert token
    found = Accounts(QUICK_HASHER, clock).bearer(token)
    assert found and (found.user, found.kind) == ("admin", JWT)


def test_it_ends_by_itself_and_its_row_is_swept(accounts: Accounts, clock: Clock) -> None:
    password = accounts.ensure_admin()
    assert password
    token = accounts.grant("admin", password, "::1")
    assert token and claims(token) | {"jti": "", "sub": ""} == {
        "iss": ISSUER, "sub": "", "jti": "", "iat": START // 1000,
        "exp": (START + LIFE_MS) // 1000,
    }  # fmt: skip
    clock.now += LIFE_MS - 1
    assert accounts.bearer(token)
    clock.now += 1
    assert accounts.bearer(token) is None
    accounts.sign_in("admin", password, "::1")
    assert Credential.select().where(Credential.kind == JWT).count() == 0


def test_one_that_was_read_before_expires_as_well(accounts: Accounts) -> None:
    signer = Signer()
    token = signer.sign("admin", "jti", START, START + 1_000)
    assert signer.read(token, START + 999) == ("admin", "jti")
    assert signer.read(token, START + 1_000) is None


def test_a_named_token_ends_as_well(accounts: Accounts, clock: Clock) -> None:
    accounts.ensure_admin()
    token = accounts.create_token("admin", "robot", expires_in=60)
    clock.now += 59_999
    assert accounts.bearer(token)
    clock.now += 1
    assert accounts.bearer(token) is None


@pytest.mark.parametrize("user", ["nobody", "gone"])
def test_who_is_unknown_or_disabled_costs_as_much_as_a_wrong_password(
    accounts: Accounts, clock: Clock, user: str
) -> None:
    accounts.ensure_admin()
    add_user(accounts, "gone")
    People(accounts).change(TEST, "gone", disabled=True)
    hasher = SlowHasher()
    hasher.go.set()
    slow = Accounts(hasher, clock)
    for number, name in enumerate(("admin", user)):
        assert slow.grant(name, PASSWORD if name == "gone" else "wrong", "::1") is None
        assert hasher.entered._value == number + 1  # one hash each


def test_two_admins_who_disable_each_other_leave_one(accounts: Accounts) -> None:
    accounts.ensure_admin()
    people, pair = People(accounts), ("admin", "ann")
    add_user(accounts, "ann")
    refused: list[Conflict] = []
    for _ in range(5):
        for name in pair:
            people.change(TEST, name, role="admin", disabled=False)
        both = threading.Barrier(2)

        def disable(name: str, both: threading.Barrier = both) -> None:
            both.wait(PATIENCE)
            try:
                people.change(TEST, name, disabled=True)
            except Conflict as why:
                refused.append(why)

        threads = [threading.Thread(target=disable, args=(name,)) for name in pair]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
    assert [why.code for why in refused] == ["last_admin"] * 5


class LateHasher(SlowHasher):
    """Somebody changes the password just after it was found to fit."""

    def verify(self, hash: str | bytes, password: str | bytes) -> bool:  # type: ignore[override]
        fits = super().verify(hash, password)
        User.update(password="another").where(User.name == "admin").execute()
        return fits


def test_a_password_that_was_just_changed_gives_nothing(accounts: Accounts, clock: Clock) -> None:
    password = accounts.ensure_admin()
    assert password
    hasher = LateHasher()
    hasher.go.set()
    assert Accounts(hasher, clock).sign_in("admin", password, "::1") is None
    assert Credential.select().count() == 0


def test_a_client_is_told_what_is_wrong(site: Site) -> None:
    client: Client = site.client()
    client.headers["Authorization"] = "Bearer a.b.c"
    reply = client.call("GET", "boards")
    assert reply.json["message"] == "this token is unknown, expired or revoked; make a new one"
