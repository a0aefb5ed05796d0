// The real server, which a test stops and starts as it likes. With DATABASE_URL it uses that database, which has to be
// empty; without, it starts a PostgreSQL of its own.

import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

/** From `build/test/`. */
const built = new URL('../../../target/debug/devforge', import.meta.url).pathname;
const PATIENCE = 90_000;
const run = promisify(execFile);

export class Server {
  #child: ChildProcess | null = null;
  #words = '';

  private constructor(
    readonly port: number,
    readonly folder: string,
    readonly password: string,
  ) {}

  static async start(): Promise<Server> {
    const folder = await mkdtemp(join(tmpdir(), 'devforge-sdk-'));
    // Where root runs the tests, PostgreSQL runs as somebody else, and has to get to its data.
    await chmod(folder, 0o711);
    const server = new Server(await freePort(), folder, randomBytes(12).toString('hex'));
    await server.start();
    return server;
  }

  /** Also what its tokens say who signed them. */
  get url(): string {
    return `http://localhost:${this.port}`;
  }

  get #program(): string {
    return process.env.DEVFORGE_BIN ?? built;
  }

  get #environment(): Record<string, string | undefined> {
    const kept = Object.entries(process.env).filter(([name]) => !name.startsWith('DEVFORGE_'));
    return {
      ...Object.fromEntries(kept),
      DEVFORGE_DATA_DIR: this.folder,
      DEVFORGE_HTTP_ADDRESS: `127.0.0.1:${this.port}`,
      DEVFORGE_HTTP_RATE_PER_MINUTE: '1000000',
      DEVFORGE_SEED: 'demo',
      DEVFORGE_DEMO_PASSWORD: this.password,
    };
  }

  async start(): Promise<void> {
    const child = spawn(this.#program, ['serve'], { env: this.#environment, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    let failure: unknown = null;
    child.once('error', (error) => {
      failure = error;
    });
    const hear = (chunk: Buffer): void => {
      this.#words = (this.#words + chunk.toString()).slice(-4_000);
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    const end = performance.now() + PATIENCE;
    while (!(await this.#isReady())) {
      if (failure !== null || child.exitCode !== null || performance.now() > end) {
        throw new Error(`the server is not ready: ${String(failure ?? '')}\n${this.#words}`);
      }
      await sleep(50);
    }
  }

  /** Another command of the same program, beside the server; gives what it says. */
  async command(...words: string[]): Promise<string> {
    const { stdout } = await run(this.#program, words, { env: this.#environment, timeout: PATIENCE });
    return stdout;
  }

  /** For what only time does: SQL, while the server runs. */
  async sql(statement: string): Promise<void> {
    await run('psql', ['--quiet', '--set=ON_ERROR_STOP=1', '--command', statement], { env: await this.#database() });
  }

  async #database(): Promise<Record<string, string | undefined>> {
    const { DATABASE_URL } = process.env;
    if (DATABASE_URL !== undefined) {
      const url = new URL(DATABASE_URL);
      const part = decodeURIComponent;
      const database = { PGDATABASE: part(url.pathname.slice(1)), PGUSER: part(url.username) };
      const where = { PGHOST: part(url.hostname), PGPORT: url.port === '' ? '5432' : url.port };
      return { ...process.env, ...database, ...where, PGPASSWORD: part(url.password) };
    }
    const file = (name: string): Promise<string> => readFile(join(this.folder, 'postgres', name), 'utf8');
    const [password, started] = await Promise.all([file('password'), file('data/postmaster.pid')]);
    const where = { PGHOST: '127.0.0.1', PGPORT: started.split('\n')[3], PGDATABASE: 'devforge' };
    return { ...process.env, ...where, PGUSER: 'devforge', PGPASSWORD: password.trim() };
  }

  /** Without a warning, as a power cut does it; its PostgreSQL is taken over at the next start. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  async remove(): Promise<void> {
    await this.#end('SIGTERM');
    await rm(this.folder, { recursive: true, force: true });
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }

  async #isReady(): Promise<boolean> {
    try {
      const response = await fetch(`${this.url}/readyz`, { signal: AbortSignal.timeout(2_000) });
      await response.arrayBuffer();
      return response.ok;
    } catch {
      return false;
    }
  }
}

/** Somebody with an account, and what they ask of the API. */
export class Person {
  private constructor(
    readonly server: Server,
    readonly id: string,
    readonly token: string,
  ) {}

  static async signIn(server: Server, email: string): Promise<Person> {
    const nobody = new Person(server, '', '');
    const answer = await nobody.call('POST', '/api/auth/login', { email, password: server.password });
    const me = await new Person(server, '', answer.token).call('GET', '/api/auth/me');
    return new Person(server, me.user.id, answer.token);
  }

  // The shape of what comes back is for each test to know.
  async call(method: string, path: string, body?: unknown): Promise<any> {
    const headers: Record<string, string> = {};
    if (this.token !== '') headers.authorization = `Bearer ${this.token}`;
    if (body !== undefined) headers['content-type'] = 'application/json';
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    const response = await fetch(this.server.url + path, { method, headers, ...sent });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path.split('/').slice(0, 4).join('/')}: ${response.status} ${text}`);
    return text === '' ? null : JSON.parse(text);
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
