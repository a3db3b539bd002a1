import type { Request, Response } from 'express';
import type { Onlooker } from '../deliveries/onlooker.ts';
import type { MemberRole } from '../platform/database-types.ts';
import type { Membership } from '../tenants/system.ts';
import { PageError } from './errors.ts';

/** Who looks at the page, in which tenant. Set by the session middleware once somebody is signed in to a tenant. */
export interface Viewer {
  readonly personId: string;
  readonly memberId: string;
  readonly tenantId: string;
  readonly role: MemberRole;
  readonly name: string;
  readonly email: string;
  /** How pages write numbers, money and dates for this member: `en-IE`. */
  readonly locale: string;
  /** What pages need of the tenant: its name, currency and clock. */
  readonly tenant: {
    readonly name: string;
    readonly country: string;
    readonly currency: string;
    readonly timeZone: string;
  };
  /** All tenants this person belongs to, for the switcher. */
  readonly memberships: readonly Membership[];
}

/**
 * The viewer of a request that only members reach.
 *
 * @throws when used on a route in front of the sign-in check: a mistake of ours
 */
export function viewerOf(res: Response): Viewer {
  const viewer: unknown = res.locals['viewer'];
  if (!isViewer(viewer)) throw new TypeError('No viewer: the route is not behind requireMember');
  return viewer;
}

/** Remembers the viewer for {@link viewerOf} and the layout. */
export function setViewer(res: Response, viewer: Viewer): void {
  res.locals['viewer'] = viewer;
}

/** Whether a value of `res.locals` is a viewer. */
export function isViewer(value: unknown): value is Viewer {
  return typeof value === 'object' && value !== null && 'memberId' in value && 'tenantId' in value;
}

/**
 * Lets only these roles go on.
 *
 * @throws {PageError} 403 with words for the person
 */
export function requireRole(res: Response, ...roles: MemberRole[]): Viewer {
  const viewer = viewerOf(res);
  if (!roles.includes(viewer.role)) throw PageError.forbidden(viewer.role);
  return viewer;
}

/** The viewer as somebody who looks at deliveries. */
export function onlookerOf({ memberId, role }: Viewer): Onlooker {
  return { memberId, seesAll: isAdmin({ role }) };
}

/** Whether somebody decides about the company’s Gmail accounts and members. */
export function isAdmin({ role }: Pick<Viewer, 'role'>): boolean {
  return role === 'owner' || role === 'admin';
}

/** A path parameter; `''` when the route has none of that name, which then finds nothing. */
export function param(req: Request, name: string): string {
  const value = req.params[name];
  return typeof value === 'string' ? value : '';
}
