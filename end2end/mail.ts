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

/** The license key in the newest mail to this address that has one. */
export async function mailedKey(email: string): Promise<string> {
  let key: string | undefined;
  await expect.poll(async () => (key = await findKey(email)), { message: `a mail to ${email} with a license key` }).toBeDefined();
  return key ?? '';
}

async function findKey(email: string): Promise<string | undefined> {
  for (const mail of await mailsTo(email)) {
    const key = /DF(?:-[0-9A-HJKMNP-TV-Z]{5}){5}/.exec((await wire(`${mail}/html`)).text)?.[0];
    if (key !== undefined) return key;
  }
  return undefined;
}

/** Where each mail to this address stands, the newest first. */
async function mailsTo(email: string): Promise<string[]> {
  const rows = (await wire('/dev/mail')).text.split('<li').filter((row) => row.includes(email));
  return rows.flatMap(addresses).filter((address) => address.startsWith('/dev/mail/'));
}

async function findLink(email: string, letters: string): Promise<string | undefined> {
  for (const mail of await mailsTo(email)) {
    const link = addresses((await wire(`${mail}/html`)).text).find((address) => address.includes(letters));
    if (link !== undefined) return link;
  }
  return undefined;
}
