"""Who may do what where: everybody has one role at each site, and each role may do what those
before it may.

- viewer: look; operator: command boards; admin: people, boards, sites and their connections.
- A user whose own role is no admin has the roles of their memberships and no other; their own is
  the one they get where a membership is made without saying which.
- A user whose own role is admin is one at every site, and for boards that belong to none.
- Where somebody has no role they are told so (403), or, where the site is private, that there is
  no such thing (404). So that the two look alike, a caller asks first whether there is one.
- A token may do what its user may, and only what its scopes say.
"""

from backend.database.models import Site
from backend.errors import Forbidden, NotFound
from backend.people.credentials import Identity

VIEWER, OPERATOR, ADMIN = ROLES = ("viewer", "operator", "admin")


def role_at(who: Identity, site: str | None) -> str | None:
    """Somebody's role at a site (None: what belongs to no site), or None."""
    if who.role == ADMIN:
        return ADMIN
    return who.sites.get(site) if site is not None else None


def may(who: Identity, role: str, site: str | None) -> bool:
    """Whether somebody has this role at a site, or one that includes it."""
    have = role_at(who, site)
    return have is not None and ROLES.index(have) >= ROLES.index(role)


def require(who: Identity, role: str, site: str | None, hidden: NotFound) -> None:
    """Raises Forbidden where somebody lacks this role at a site; `hidden` where even its existence
    is none of their business.
    """
    if may(who, role, site):
        return
    if role_at(who, site) is None and _is_private(site):
        raise hidden
    where = f"at the site {site}" if site else "here, since this belongs to no site"
    raise Forbidden("forbidden", "", f"you must be {role} {where}; ask an administrator")


def require_scope(who: Identity, scope: str) -> None:
    """Raises Forbidden where what somebody has shown is not good for this."""
    if scope not in who.scopes:
        reason = f"this token lacks the scope {scope!r}; make one that has it"
        raise Forbidden("missing_scope", "", reason)


def require_admin(who: Identity) -> None:
    """Raises Forbidden for all but administrators of the whole."""
    if who.role != ADMIN:
        reason = "you must be admin, of more than one site, for this; ask an administrator"
        raise Forbidden("forbidden", "", reason)


def sites_with(who: Identity, role: str) -> list[str] | None:
    """The ids of the sites where somebody has this role; None: everywhere."""
    if who.role == ADMIN:
        return None
    return [site for site in who.sites if may(who, role, site)]


def _is_private(site: str | None) -> bool:
    return site is not None and bool(
        Site.select().where((Site.id == site) & Site.private).exists()
    )
