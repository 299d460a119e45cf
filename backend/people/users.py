"""Users, their roles and the sites they belong to. See backend.people.access for what a role may.

Rules of this file:
- whoever does something is the first argument, and it is noted in the same transaction;
- at no time is there nobody left who is admin of the whole and may sign in;
- a change holds from the very next request on, here; within a second in another process.
"""

import contextlib
import re
from collections.abc import Iterator
from typing import Any

from peewee import fn

from backend.database.models import Site, as_rows, database
from backend.delivery.writer import now_ms
from backend.errors import Conflict, Invalid, NotFound
from backend.people import audit
from backend.people.access import ADMIN, ROLES
from backend.people.accounts import Accounts
from backend.people.audit import Actor
from backend.people.credentials import TOKEN, Credential, Membership, User

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@+-]{0,63}")


class People:
    """Changes users and memberships. Every method raises NotFound for a user there is not."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    def add(self, actor: Actor, name: str, role: str, password: str) -> None:
        """A new user. Raises Invalid, Conflict."""
        if not _NAME.fullmatch(name):
            reason = "must be 1 to 64 of A-Z a-z 0-9 _ . @ + - and begin with a letter or digit"
            raise Invalid("bad_parameter", "name", reason)
        _check_role(role)
        hashed = self._accounts.hashed(password)
        with self._change(actor, "user.add", name, role=role):
            if User.select().where(fn.LOWER(User.name) == name.lower()).exists():
                raise Conflict("exists", "name", "is in use; choose another one")
            User.insert(name=name, password=hashed, role=role, created_at=now_ms()).execute()

    def change(
        self, actor: Actor, name: str, role: str | None = None, disabled: bool | None = None
    ) -> None:
        """Another role, or disabled (nothing of theirs is let in), or enabled again.

        Raises Invalid; Conflict for the last admin.
        """
        if role is not None:
            _check_role(role)
        given = {"role": role, "disabled": disabled}
        wanted = {field: value for field, value in given.items() if value is not None}
        with self._change(actor, "user.change", name, **wanted):
            found(name)
            if wanted:
                User.update(wanted).where(User.name == name).execute()
            if disabled:
                _end_sessions(name)

    def set_password(self, actor: Actor, name: str, password: str) -> None:
        """Give a user a new password; their sessions and JWTs end. Raises Invalid.

        Tokens stay: they are not made from a password, and are revoked one by one.
        """
        hashed = self._accounts.hashed(password)
        with self._change(actor, "user.password", name):
            found(name)
            User.update(password=hashed).where(User.name == name).execute()
            _end_sessions(name)

    def change_password(self, actor: Actor, old: str, new: str) -> bool:
        """A user's own change; False where the old password is wrong. Raises Invalid, Busy."""
        if self._accounts.prove(actor.user, old, actor.source) is None:
            return False
        self.set_password(actor, actor.user, new)
        return True

    def sign_out(self, actor: Actor, name: str) -> None:
        """End every session and JWT of a user."""
        with self._change(actor, "user.sign_out", name):
            found(name)
            _end_sessions(name)

    def remove(self, actor: Actor, name: str) -> None:
        """Delete a user with all they have; their commands stay. Raises Conflict."""
        with self._change(actor, "user.remove", name):
            found(name)
            User.delete().where(User.name == name).execute()

    def join(self, actor: Actor, name: str, site: str, role: str | None = None) -> None:
        """Give a user a role at a site; None: their own. Raises Invalid."""
        if role is not None:
            _check_role(role)
        given = role or found(name).role
        with self._change(actor, "member.put", name, site=site, role=given):
            row = {"user": found(name).name, "site": found_site(site).id, "role": given}
            Membership.insert(row).on_conflict_replace().execute()

    def leave(self, actor: Actor, name: str, site: str) -> None:
        """Take a user's role at a site away. Raises NotFound, also where there is none."""
        found(name)
        with self._change(actor, "member.remove", name, site=site):
            where = (Membership.user == name) & (Membership.site == site)
            if not Membership.delete().where(where).execute():
                reason = f"{name} has no role at the site {site!r}"
                raise NotFound("unknown_member", "site", reason)

    @contextlib.contextmanager
    def _change(self, actor: Actor, action: str, subject: str, **detail: Any) -> Iterator[None]:
        with database.atomic("IMMEDIATE"):
            yield
            _someone_stays()
            audit.note(actor, action, subject, detail)
        self._accounts.credentials.forget()


def all_users(sites: list[str] | None = None) -> list[dict[str, Any]]:
    """{name, role, disabled, created_at (ms), sites: {id: role}} of everybody, by name.

    With `sites`: of those who belong to one of them, and of that no other site.
    """
    rows = as_rows(Membership.select().order_by(Membership.site))
    mine: dict[str, dict[str, str]] = {}
    for row in rows:
        if sites is None or row["site"] in sites:
            mine.setdefault(row["user"], {})[row["site"]] = row["role"]
    users = User.select().order_by(User.name)
    return [
        _shown(user, mine.get(user.name, {}))
        for user in users
        if sites is None or user.name in mine
    ]


def one(name: str) -> dict[str, Any]:
    """The same of one. Raises NotFound."""
    rows = as_rows(Membership.select().where(Membership.user == name).order_by(Membership.site))
    return _shown(found(name), {row["site"]: row["role"] for row in rows})


def found(name: str) -> User:
    """The user of this name. Raises NotFound."""
    user: User | None = User.get_or_none(User.name == name)
    if user is None:
        raise NotFound("unknown_user", "user", f"there is no user {name[:64]!r}")
    return user


def found_site(site: str) -> Site:
    """The site of this id. Raises NotFound."""
    row: Site | None = Site.get_or_none(Site.id == site)
    if row is None:
        raise no_site(site)
    return row


def no_site(site: str) -> NotFound:
    """What is said of a site that there is not, or that is none of somebody's business."""
    return NotFound("unknown_site", "site", f"there is no site {site[:64]!r}")


def _shown(user: User, sites: dict[str, str]) -> dict[str, Any]:
    names = ("name", "role", "disabled", "created_at")
    return {**{name: getattr(user, name) for name in names}, "sites": sites}


def _check_role(role: str) -> None:
    if role not in ROLES:
        raise Invalid("bad_parameter", "role", "must be one of " + ", ".join(ROLES))


def _end_sessions(name: str) -> None:
    where = (Credential.user == name) & (Credential.kind != TOKEN)
    Credential.delete().where(where).execute()


def _someone_stays() -> None:
    """Raises Conflict, and the transaction is undone, where nobody could administer any more."""
    if not User.select().where((User.role == ADMIN) & ~User.disabled).exists():
        reason = "nobody would be left who is admin; make somebody else admin first"
        raise Conflict("last_admin", "", reason)
