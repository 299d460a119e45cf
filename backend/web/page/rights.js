// What whoever is signed in may do. The backend decides; this spares buttons that it would refuse.

export const ROLES = ["viewer", "operator", "admin"];

// Their role at a site (null: what belongs to none), or undefined.
const roleAt = (session, site) => (session.role === "admin" ? "admin" : session.sites[site]);

export const may = (session, role, site) =>
  ROLES.indexOf(roleAt(session, site)) >= ROLES.indexOf(role);

export const isAdmin = (session) => session.role === "admin";

// Admin of the whole, or of any site.
export const looksAfterPeople = (session) =>
  isAdmin(session) || Object.values(session.sites).includes("admin");
