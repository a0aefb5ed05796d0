// The check of a license as a small service would do it: Fastify and pg, one process, one prepared read for each check.
// What is compared with devforge gives the same answers: the bench looks at both before it measures.
import { createHmac, createPublicKey, createHash, generateKeyPairSync, sign } from "node:crypto";
import Fastify from "fastify";
import pg from "pg";

const { DATABASE_URL, PORT, KEY, FINGERPRINT_KEY, FEATURES, ISSUER } = process.env;
const keyed = Buffer.from(KEY, "hex");
const fingerprints = Buffer.from(FINGERPRINT_KEY, "hex");
const paid = JSON.parse(FEATURES);
const OFFLINE_SECONDS = 14 * 24 * 60 * 60;

const { privateKey } = generateKeyPairSync("ed25519");
const { x } = createPublicKey(privateKey).export({ format: "jwk" });
const kid = createHash("sha256").update(x).digest("base64url").slice(0, 16);
const head = Buffer.from(JSON.stringify({ alg: "EdDSA", typ: "JWT", kid })).toString("base64url");

const pool = new pg.Pool({ connectionString: DATABASE_URL, max: 10 });

const LICENSE = `l.id, l.tier, l.seats, l.machines_per_seat, l.overage, l.node_locked, l.machines_used, l.expires_at, l.good_until,
    l.fallback, cardinality(l.suspended_by) > 0 as suspended, cardinality(l.revoked_by) > 0 as revoked, l.extra_features, l.updated_at`;
const BY_KEY = `select ${LICENSE} from license l where l.key_hash = $1`;
const BY_KEY_AND_MACHINE = `select ${LICENSE}, m.id as machine, m.last_seen_at
    from license l left join license_machine m on m.license_id = l.id and m.fingerprint_hash = $2 where l.key_hash = $1`;

const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const VALUES = new Int8Array(128).fill(-1);
for (let value = 0; value < 32; value += 1) {
  VALUES[ALPHABET.charCodeAt(value)] = value;
  VALUES[ALPHABET[value].toLowerCase().charCodeAt(0)] = value;
}
for (const [letter, value] of [["I", 1], ["L", 1], ["O", 0]]) {
  VALUES[letter.charCodeAt(0)] = value;
  VALUES[letter.toLowerCase().charCodeAt(0)] = value;
}

/** The 25 letters of a key, or none when it is not one. */
function read(text) {
  if (text.length > 128) return null;
  const bare = text.replace(/[\s\-_]/g, "");
  const start = bare.length - 25;
  if (start < 0 || (start > 0 && bare.slice(0, start).toUpperCase() !== "DF")) return null;
  let letters = "";
  let sum = 0;
  for (let at = start; at < bare.length; at += 1) {
    const code = bare.charCodeAt(at);
    const value = code < 128 ? VALUES[code] : -1;
    if (value < 0) return null;
    letters += ALPHABET[value];
    if (at === bare.length - 1) return sum === value ? letters : null;
    const shifted = (sum ^ value) << 1;
    sum = shifted & 32 ? shifted ^ 0b100101 : shifted;
  }
  return null;
}

function gate(license, fingerprint, now) {
  if (license.revoked) return "REVOKED";
  if (license.suspended) return "SUSPENDED";
  if (license.good_until !== null && license.good_until <= now) return "EXPIRED";
  if (!license.node_locked) return "VALID";
  if (fingerprint === undefined) return "MACHINE_REQUIRED";
  return license.machine === null ? "NO_MACHINE" : "VALID";
}

function token(license, features, fingerprint, nonce, now) {
  const iat = Math.floor(now / 1000);
  const claims = {
    iss: ISSUER,
    aud: "devforge-editor",
    sub: license.id,
    tier: license.tier,
    features,
    fingerprint,
    nonce,
    iat,
    exp: iat + OFFLINE_SECONDS,
  };
  const body = `${head}.${Buffer.from(JSON.stringify(claims)).toString("base64url")}`;
  return `${body}.${sign(null, Buffer.from(body), privateKey).toString("base64url")}`;
}

const text = (maxLength) => ({ type: "string", maxLength });
const schema = {
  body: {
    type: "object",
    required: ["licenseKey"],
    properties: {
      licenseKey: { type: "string" },
      fingerprint: text(256),
      product: { type: "string" },
      version: text(64),
      nonce: text(200),
    },
  },
  response: {
    200: {
      type: "object",
      properties: {
        valid: { type: "boolean" },
        code: { type: "string" },
        tier: { type: "string" },
        expiresAt: { type: "string", nullable: true },
        features: { type: "array", items: { type: "string" } },
        machines: { type: "object", properties: { used: { type: "integer" }, limit: { type: "integer" } } },
        checkedAt: { type: "string" },
        nonce: { type: "string" },
        offlineToken: { type: "string" },
      },
    },
  },
};

const app = Fastify({ logger: false });

app.get("/readyz", async () => {
  await pool.query("select 1");
  return { ready: true };
});

app.post("/api/licenses/validate", { schema }, async (request) => {
  const { licenseKey, fingerprint, product, nonce } = request.body;
  const now = Date.now();
  const checkedAt = new Date(now).toISOString();
  const refused = (code) => ({ valid: false, code, tier: "free", expiresAt: null, features: [], checkedAt, nonce });
  if (product !== undefined && product !== "editor") return refused("PRODUCT_MISMATCH");
  const letters = read(licenseKey);
  if (letters === null) return refused("NOT_FOUND");
  const hash = createHmac("sha256", keyed).update(letters).digest();
  const query =
    fingerprint === undefined
      ? { name: "key", text: BY_KEY, values: [hash] }
      : {
          name: "key-and-machine",
          text: BY_KEY_AND_MACHINE,
          values: [hash, createHmac("sha256", fingerprints).update(fingerprint).digest()],
        };
  const { rows } = await pool.query(query);
  if (rows.length === 0) return refused("NOT_FOUND");
  const license = rows[0];
  const code = gate(license, fingerprint, now);
  if (code !== "VALID") return refused(code);
  const features = license.extra_features.length === 0 ? paid : [...paid, ...license.extra_features.map((extra) => extra.feature)];
  const answer = {
    valid: true,
    code,
    tier: license.tier,
    expiresAt: license.expires_at,
    features,
    machines: { used: license.machines_used, limit: license.seats * license.machines_per_seat },
    checkedAt,
    nonce,
  };
  if (fingerprint !== undefined && license.machine !== null) {
    answer.offlineToken = token(license, features, fingerprint, nonce, now);
  }
  return answer;
});

await app.listen({ host: "127.0.0.1", port: Number(PORT) });
process.on("SIGTERM", () => process.exit(0));
process.on("SIGINT", () => process.exit(0));
