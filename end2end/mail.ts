// The mail that a development server keeps instead of sending it.

import { baseUrl } from './environment.ts';
import { expect } from './fixtures.ts';
import { addresses, wire } from './wire.ts';

/** The first link with these letters in the newest mail to this address that has one, as a path on our site. Some mails
 *  are written by a job, so it is waited for. */
export async function mailedLink(email: string, letters: string): Promise<string> {
  let link: string | undefined;
  await expect
    .poll(async () => (link = await findLink(email, letters)), { message: `a mail to ${email} with a link to ${letters}` })
    .toBeDefined();
  const url = new URL(link ?? '', baseUrl);
  return url.pathname + url.search;
}

async function findLink(email: string, letters: string): Promise<string | undefined> {
  const rows = (await wire('/dev/mail')).text.split('<li').filter((row) => row.includes(email));
  for (const mail of rows.flatMap(addresses).filter((address) => address.startsWith('/dev/mail/'))) {
    const link = addresses((await wire(`${mail}/html`)).text).find((address) => address.includes(letters));
    if (link !== undefined) return link;
  }
  return undefined;
}
