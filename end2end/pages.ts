// The pages every general check goes over. A new page is added here once and is then looked at by
// axe, the width check, the head check, the headers and the crawl.

export type Page = {
  path: string;
  /** The status the document itself answers. */
  status: number;
  /** public: indexed, has a description and a canonical link. private: for one visitor or for
   *  development. error: what people see when something is not there or broke. */
  kind: 'public' | 'private' | 'error';
  /** Needs the cookies of a signed-in visitor. */
  signedIn?: boolean;
  /** And that visitor is an administrator. */
  admin?: boolean;
  /** And has proven who they are within the last 15 minutes. */
  fresh?: boolean;
  /** A form on it ends at the payment provider's: its policy names one more place for forms. */
  pays?: boolean;
};

export const pages: Page[] = [
  { path: '/', status: 200, kind: 'public' },
  { path: '/about', status: 200, kind: 'public' },
  { path: '/features', status: 200, kind: 'public' },
  { path: '/features/ai-models', status: 200, kind: 'public' },
  { path: '/features/extensions', status: 200, kind: 'public' },
  { path: '/features/teams', status: 200, kind: 'public' },
  { path: '/features/local-first', status: 200, kind: 'public' },
  { path: '/enterprise', status: 200, kind: 'public' },
  { path: '/pricing', status: 200, kind: 'public' },
  { path: '/pricing?interval=year&currency=eur', status: 200, kind: 'public' },
  { path: '/pricing?currency=jpy', status: 200, kind: 'public' },
  { path: '/checkout?tier=pro', status: 200, kind: 'private', pays: true },
  { path: '/download', status: 200, kind: 'public' },
  { path: '/activate', status: 200, kind: 'private' },
  { path: '/activate?app=electron', status: 200, kind: 'private', signedIn: true },
  { path: '/legal/terms', status: 200, kind: 'public' },
  { path: '/legal/privacy', status: 200, kind: 'public' },
  { path: '/legal/refunds', status: 200, kind: 'public' },
  { path: '/legal/imprint', status: 200, kind: 'public' },
  { path: '/legal/dpa', status: 200, kind: 'public' },
  { path: '/docs', status: 200, kind: 'public' },
  { path: '/docs/activate', status: 200, kind: 'public' },
  { path: '/docs/configuration', status: 200, kind: 'public' },
  { path: '/docs/api', status: 200, kind: 'public' },
  { path: '/blog', status: 200, kind: 'public' },
  { path: '/blog/one-row-decides', status: 200, kind: 'public' },
  { path: '/blog/tags/licenses', status: 200, kind: 'public' },
  { path: '/changelog', status: 200, kind: 'public' },
  { path: '/changelog/2026-11-21-licenses', status: 200, kind: 'public' },
  { path: '/support', status: 200, kind: 'public' },
  { path: '/support/articles/find-an-invoice', status: 200, kind: 'public' },
  { path: '/search', status: 200, kind: 'public' },
  { path: '/search?q=license', status: 200, kind: 'private' },
  { path: '/compare', status: 200, kind: 'public' },
  { path: '/contact', status: 200, kind: 'public' },
  { path: '/contact?topic=press', status: 200, kind: 'public' },
  { path: '/contact?sent=1', status: 200, kind: 'private' },
  { path: '/press', status: 200, kind: 'public' },
  { path: '/roadmap', status: 200, kind: 'public' },
  { path: '/status', status: 200, kind: 'public' },
  { path: '/sign-in', status: 200, kind: 'private' },
  { path: '/register', status: 200, kind: 'private' },
  { path: '/forgot', status: 200, kind: 'private' },
  { path: '/account', status: 200, kind: 'private', signedIn: true },
  { path: '/account/licenses', status: 200, kind: 'private', signedIn: true },
  { path: '/account/billing', status: 200, kind: 'private', signedIn: true },
  { path: '/account/billing/subscription', status: 200, kind: 'private', signedIn: true, pays: true },
  { path: '/account/profile', status: 200, kind: 'private', signedIn: true },
  { path: '/account/security', status: 200, kind: 'private', signedIn: true },
  { path: '/account/security/tokens', status: 200, kind: 'private', signedIn: true },
  { path: '/account/privacy', status: 200, kind: 'private', signedIn: true },
  { path: '/account/delete', status: 200, kind: 'private', signedIn: true },
  { path: '/admin/users', status: 200, kind: 'private', signedIn: true, admin: true },
  { path: '/admin/orders', status: 200, kind: 'private', signedIn: true, admin: true },
  { path: '/admin/refunds', status: 200, kind: 'private', signedIn: true, admin: true },
  { path: '/admin/licenses', status: 200, kind: 'private', signedIn: true, admin: true },
  { path: '/admin/licenses/new', status: 200, kind: 'private', signedIn: true, admin: true },
  { path: '/admin/licenses/versions', status: 200, kind: 'private', signedIn: true, admin: true },
  { path: '/admin/finance', status: 200, kind: 'private', signedIn: true, admin: true },
  { path: '/admin/finance/ledger', status: 200, kind: 'private', signedIn: true, admin: true },
  { path: '/admin/finance/tax', status: 200, kind: 'private', signedIn: true, admin: true },
  { path: '/admin/finance/subscriptions', status: 200, kind: 'private', signedIn: true, admin: true },
  { path: '/admin/catalogue', status: 200, kind: 'private', signedIn: true, admin: true, fresh: true },
  { path: '/admin/catalogue/prices', status: 200, kind: 'private', signedIn: true, admin: true, fresh: true },
  { path: '/admin/catalogue/coupons', status: 200, kind: 'private', signedIn: true, admin: true, fresh: true },
  { path: '/admin/knowledge', status: 200, kind: 'private', signedIn: true, admin: true },
  { path: '/admin/knowledge/new', status: 200, kind: 'private', signedIn: true, admin: true },
  { path: '/admin/webhooks', status: 200, kind: 'private', signedIn: true, admin: true },
  { path: '/admin/reconcile', status: 200, kind: 'private', signedIn: true, admin: true },
  { path: '/admin/audit', status: 200, kind: 'private', signedIn: true, admin: true },
  { path: '/dev/gallery', status: 200, kind: 'private' },
  { path: '/dev/mail', status: 200, kind: 'private' },
  { path: '/docs/licence/offline-tokens', status: 404, kind: 'error' },
  { path: '/dev/panic', status: 500, kind: 'error' },
];

