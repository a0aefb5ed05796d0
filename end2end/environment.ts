// What the tests are told from outside. `cargo xtask test` starts the server and sets these;
// a missing one stops the run with the line to type, so that nothing is tested against a guess.

function required(name: string): string {
  const value = process.env[name];
  if (!value) {
    throw new Error(
      `${name} is not set. Run the journeys with \`cargo xtask test\`, or see end2end/README.md for running one by hand.`,
    );
  }
  return value;
}

/** Where the site answers, without a slash at the end. */
export const baseUrl = required('BASE_URL').replace(/\/+$/, '');

/** The demo accounts that the server seeds; they share one password. */
export const password = required('DEMO_PASSWORD');
export const admin = 'admin@devforge.test';
export const customer = 'ada@devforge.test';

/** The browser comes from the system's packages; none is ever downloaded. */
export const chromium = process.env.CHROMIUM ?? '/usr/bin/chromium';

/** Where the sign-ins of the setup project are kept for the tests that need a signed-in visitor. */
export const signedInState = new URL('./test-results/signed-in.json', import.meta.url).pathname;
export const adminState = new URL('./test-results/signed-in-admin.json', import.meta.url).pathname;
