// The reads of Boxoffice as a team would write them today: Fastify, pg with a pool and prepared statements, one process a core.
// `node server.mjs load FILE` fills the tables from a JSON array of events; `node server.mjs` serves them on PORT.
import cluster from 'node:cluster';
import { readFileSync } from 'node:fs';
import Fastify from 'fastify';
import pg from 'pg';

const workers = Number(process.env.WORKERS ?? 2);
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: Number(process.env.POOL ?? 10) });
const ask = (name, text, values) => pool.query({ name, text, values }).then((answer) => answer.rows);

const EVENT = `SELECT e.*, v.name AS venue_name, v.city, v.country, v.address, v.lat, v.lon
  FROM event e LEFT JOIN venue v ON v.id = e.venue_id`;
const ARTISTS = `SELECT ea.event_id, a.id, a.name FROM event_artist ea JOIN artist a ON a.id = ea.artist_id
  WHERE ea.event_id = ANY($1) ORDER BY ea.event_id, ea.position`;
const TYPES = 'SELECT * FROM ticket_type WHERE event_id = ANY($1) ORDER BY event_id, position';

function view(row, artists, types) {
  return {
    id: row.id, slug: row.slug, name: row.name, type: row.type, status: row.status, description: row.description, url: row.url,
    starts_at: row.starts_at, ends_at: row.ends_at, timezone: row.timezone, whole_day: row.whole_day, online: row.online,
    venue: row.venue_id && {
      id: row.venue_id, name: row.venue_name, city: row.city, country: row.country, address: row.address, lat: row.lat, lon: row.lon,
    },
    artists: artists.map(({ id, name }) => ({ id, name })),
    currency: row.currency,
    ticket_types: types.map((type) => ({
      id: type.id, name: type.name, price: { amount: Number(type.amount), currency: row.currency }, max_per_order: type.max_per_order,
      sales_start: type.sales_start, sales_end: type.sales_end,
    })),
    payment_methods: row.payment_methods, policies: row.policies, limits: row.limits, checkin_opens_at: null, images: [],
    vendor_id: row.vendor_id, version: Number(row.version), created_at: row.created_at,
  };
}

async function views(rows) {
  const ids = rows.map((row) => row.id);
  const [artists, types] = await Promise.all([ask('artists', ARTISTS, [ids]), ask('types', TYPES, [ids])]);
  const of = (list, id) => list.filter((item) => item.event_id === id);
  return rows.map((row) => view(row, of(artists, row.id), of(types, row.id)));
}

async function list({ search, limit = '20' }) {
  if (search === undefined)
    return ask('list', `${EVENT} WHERE e.status = 'published' AND e.ends_at > now() ORDER BY e.starts_at, e.id LIMIT $1`, [Number(limit)]);
  const words = search.toLowerCase().split(/[^\p{L}\p{N}]+/u).filter(Boolean).map((word) => `${word}:*`).join(' & ');
  return ask('search', `${EVENT} WHERE e.words @@ to_tsquery('simple', $1) AND e.status = 'published' AND e.ends_at > now()
    ORDER BY ts_rank(e.words, to_tsquery('simple', $1)) DESC, e.starts_at LIMIT $2`, [words, Number(limit)]);
}

function serve() {
  const app = Fastify();
  app.get('/events', async (request) => ({ data: await views(await list(request.query)), next_cursor: null }));
  app.get('/events/:id', async (request, reply) => {
    const rows = await ask('one', `${EVENT} WHERE e.id = $1 AND e.status = 'published'`, [request.params.id]);
    if (rows.length === 0) return reply.code(404).send({ code: 'not_found' });
    const etag = `"${rows[0].version}"`;
    if (request.headers['if-none-match'] === etag) return reply.code(304).send();
    return reply.header('etag', etag).send((await views(rows))[0]);
  });
  app.head('/events/:id/tickets', async (request, reply) => {
    const rows = await ask('left', 'SELECT sum(remaining) AS remaining FROM ticket_type WHERE event_id = $1', [request.params.id]);
    return reply.header('tickets-available', String(rows[0].remaining ?? 0)).send();
  });
  return app.listen({ host: '127.0.0.1', port: Number(process.env.PORT) });
}

async function load(file) {
  await pool.query(readFileSync(new URL('schema.sql', import.meta.url), 'utf8'));
  for (const event of JSON.parse(readFileSync(file, 'utf8'))) {
    const { venue } = event;
    if (venue)
      await pool.query('INSERT INTO venue VALUES ($1,$2,$3,$4,$5,$6,$7) ON CONFLICT DO NOTHING',
        [venue.id, venue.name, venue.city, venue.country, venue.address, venue.lat, venue.lon]);
    const words = [event.name, venue?.name, venue?.city, ...event.artists.map((artist) => artist.name)].filter(Boolean).join(' ');
    await pool.query(`INSERT INTO event VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18,$19,$20,to_tsvector('simple',$21))`,
      [event.id, event.slug, event.name, event.type, event.status, event.description, event.url, event.starts_at, event.ends_at,
        event.timezone, event.whole_day, event.online, venue?.id, event.currency, JSON.stringify(event.payment_methods),
        JSON.stringify(event.policies), JSON.stringify(event.limits), event.vendor_id, event.version, event.created_at, words]);
    for (const [at, artist] of event.artists.entries()) {
      await pool.query('INSERT INTO artist VALUES ($1,$2) ON CONFLICT DO NOTHING', [artist.id, artist.name]);
      await pool.query('INSERT INTO event_artist VALUES ($1,$2,$3)', [event.id, at, artist.id]);
    }
    for (const [at, type] of event.ticket_types.entries())
      await pool.query('INSERT INTO ticket_type VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9)',
        [type.id, event.id, at, type.name, type.price.amount, type.max_per_order, type.sales_start, type.sales_end, 100]);
  }
  await pool.query('VACUUM ANALYZE');
  await pool.end();
}

if (process.argv[2] === 'load') await load(process.argv[3]);
else if (cluster.isPrimary) for (let i = 0; i < workers; i++) cluster.fork();
else await serve();
