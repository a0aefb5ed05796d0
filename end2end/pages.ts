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
};

export const pages: Page[] = [
  { path: '/', status: 200, kind: 'public' },
  { path: '/about', status: 200, kind: 'public' },
  { path: '/legal/terms', status: 200, kind: 'public' },
  { path: '/legal/privacy', status: 200, kind: 'public' },
  { path: '/legal/refunds', status: 200, kind: 'public' },
  { path: '/legal/imprint', status: 200, kind: 'public' },
  { path: '/legal/dpa', status: 200, kind: 'public' },
  { path: '/docs/api', status: 200, kind: 'public' },
  { path: '/search', status: 200, kind: 'public' },
  { path: '/search?q=license', status: 200, kind: 'private' },
  { path: '/sign-in', status: 200, kind: 'private' },
  { path: '/register', status: 200, kind: 'private' },
  { path: '/forgot', status: 200, kind: 'private' },
  { path: '/account', status: 200, kind: 'private', signedIn: true },
  { path: '/account/profile', status: 200, kind: 'private', signedIn: true },
  { path: '/account/security', status: 200, kind: 'private', signedIn: true },
  { path: '/account/security/tokens', status: 200, kind: 'private', signedIn: true },
  { path: '/account/privacy', status: 200, kind: 'private', signedIn: true },
  { path: '/account/delete', status: 200, kind: 'private', signedIn: true },
  { path: '/admin/users', status: 200, kind: 'private', signedIn: true, admin: true },
  { path: '/admin/audit', status: 200, kind: 'private', signedIn: true, admin: true },
  { path: '/dev/gallery', status: 200, kind: 'private' },
  { path: '/dev/mail', status: 200, kind: 'private' },
  { path: '/docs/licence/offline-tokens', status: 404, kind: 'error' },
  { path: '/dev/panic', status: 500, kind: 'error' },
];

