/* platform/http/internal.h - what the files of this folder share: server, loop, connection,
 * request. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "platform/http/blob.h"
#include "platform/http/encoding.h"
#include "platform/http/guard.h"
#include "platform/http/h2o_engine.h"
#include "platform/http/http.h"
#include "platform/http/route_table.h"
#include "platform/metrics/spent.h"

enum {
    HTTP_REPLY_HEADERS_MAX = 16,
    HTTP_REQUEST_ID_SIZE_MAX = 128,
    HTTP_TRACEPARENT_SIZE = 55,
    HTTP_REMOTE_SIZE_MAX = 64,
    HTTP_REFUSAL_SIZE_MAX = 1024,
    HTTP_FREE_EXCHANGES_MAX = 256, /* kept for reuse, per loop */
    HTTP_LOOPS_MAX = 64,
    HTTP_WORKERS_MAX = 256,
};
/* Raw bytes of a body: chunks bring framing along. */
#define HTTP_BODY_RAW_MAX ((size_t)HTTP_BODY_READ_MAX + (1 << 20))
/* Bodies being received, of all connections together; small ones are bounded by the connections. */
#define HTTP_BUFFERED_MAX   ((int64_t)512 << 20)
#define HTTP_BUFFERED_SMALL ((size_t)64 << 10)

/* What tests set otherwise. Times are real time: they wait for the network and are no rules. */
struct tuning {
    int64_t idle_ms;        /* between two requests of a connection */
    int64_t receive_ms;     /* a whole head; and between two pieces of a body */
    int64_t send_ms;        /* without any progress of an answer */
    int64_t linger_ms;      /* for a refused client to read why, or a WebSocket's to close */
    int64_t tick_ms;        /* between two looks at the silence of WebSocket clients */
    size_t connections_max; /* per loop; 0: as many as the process may have descriptors */
};
extern const struct tuning http_tuning;

struct sentry;
struct loop;
struct meter;
struct workers;
struct exchange;
struct ws;
struct ws_kind;

/* --- A request from its arrival until its answer is out (exchange.c; README.md tells who owns
 * it when) --- */

struct field {
    str name; /* lower case */
    str value;
};

/* A blob in one content coding. */
struct variant {
    str body;
    str etag;
    str head; /* the header lines of every answer with it, from behind "content-type: " on */
    size_t common_at; /* where in `head` those begin that a 304 has too, behind "vary: " */
};

struct reply {
    int status; /* 0: none yet */
    str content_type;
    str body;
    str etag;
    const struct variant *variant; /* NULL: not a blob. Its blob is held by the arena */
    str cache_control;             /* of the blob */
    const struct ws_kind *upgrade; /* NULL: stays HTTP */
    struct field headers[HTTP_REPLY_HEADERS_MAX];
    h2o_iovec_t names[HTTP_REPLY_HEADERS_MAX]; /* theirs, for H2O, which keeps a pointer */
    size_t header_count;
};

enum stage { STAGE_AUTHENTICATE, STAGE_ADMIT, STAGE_HANDLER };

/* Where a request is; it is somewhere at each moment from its last byte to its answer. */
enum place {
    PLACE_LOOP,
    PLACE_QUEUE, /* waits for a worker */
    PLACE_WORKER,
    PLACE_PARKED,
    PLACE_HANDOVER, /* waits for its loop */
    PLACES,
};

/* Bits of exchange.park: whichever of the two sides comes second goes on with the request. */
enum { PARK_WAITS = 1, PARK_RESUMED = 2, PARK_ORPHANED = 4 };

enum message { MESSAGE_ANSWER, MESSAGE_RUN, MESSAGE_DROP };

struct exchange {
    struct req req;
    h2o_multithread_message_t link; /* in loop->receiver, while it is on its way to the loop */
    enum message message;
    struct loop *loop;
    struct http_server *server;
    struct exchange *older; /* loop->live; the loop's */
    struct exchange *newer;
    struct exchange *behind; /* in the workers' queue, or in loop->free */
    h2o_req_t *h2o;          /* the loop's; NULL: the client has gone */
    bool answered; /* the loop's: handed to H2O, which reads its memory until it disposes */
    struct route_entry *entry; /* never NULL once routed */
    struct field *fields;
    size_t field_count;
    str authorization; /* the header as sent */
    bool authorization_is_malformed;
    size_t body_size; /* as received; req.body is absent if it is more than the route takes */
    enum stage stage;
    err (*then)(struct req *req);
    enum run_on then_on;
    bool was_parked;
    _Atomic unsigned park;
    struct reply reply;
    str traceparent; /* what is answered */
    int64_t begun_ns;
    enum place place;
    int64_t since_ns; /* in this place */
    int64_t spent_ns[PLACES];
    int64_t component_ns[SPENT_KINDS];
    uint64_t answered_ms; /* of the loop's clock, when the answer was given to H2O */
};

struct exchange *exchange_take(struct loop *loop, h2o_req_t *h2o);
/* The request is over; its client may have gone. On the loop's thread. */
void exchange_give_back(struct exchange *exchange);
void exchange_free(struct exchange *exchange);
/* The server goes and somebody still parks it: true if it is now the resumer's alone, who frees
 * it. */
bool exchange_orphan(struct exchange *exchange);
/* Never fails: what cannot be read leaves its mark, and the dispatcher refuses. */
void request_read(struct exchange *exchange, const struct sentry *sentry);
/* Once the route is known: copies the body unless it is more than the route takes. */
void request_read_body(struct exchange *exchange);

/* --- Dispatching (dispatch.c) --- */

/* Routes it and runs it as far as it goes; on the loop's thread. */
void dispatch_new(struct exchange *exchange);
void dispatch_run(struct exchange *exchange);
/* The answer stands in exchange->reply or is `e`; from the thread that ran the handler. */
void problem_reply(struct exchange *exchange, err e);
/* An If-None-Match that names the reply's entity tag makes it 304. */
void reply_finish(struct exchange *exchange);
/* Hands the reply to H2O, or gives the request back if nobody waits; on the loop's thread. */
void exchange_send(struct exchange *exchange);

/* What the handler has added, and what every answer has, to H2O's. */
void reply_add_headers(struct exchange *exchange);

/* --- Blobs (blob.c) --- */

/* The variant in that coding, or identity where there is none. NULL: it has to be made first,
 * which takes long and `may_block` forbids. */
const struct variant *blob_variant(struct blob *blob, enum coding coding, bool may_block);
str blob_cache_control(const struct blob *blob, bool is_known);

/* --- Workers (workers.c) --- */

struct workers *workers_open(int thread_count, int waiting_max, struct meter *meter);
/* A new request: false if as many as allowed are waiting already. */
bool workers_offer(struct workers *workers, struct exchange *exchange);
/* A resumed one is never refused: its work is half done. False only behind workers_stop. */
bool workers_add(struct workers *workers, struct exchange *exchange);
/* From here on nothing that waits is begun. */
void workers_halt(struct workers *workers);
/* Halts; what runs is waited for, what waits is dropped. */
void workers_stop(struct workers *workers);
void workers_close(struct workers *workers);

/* --- Connections (sentry.c) --- */

/* What H2O may parse next on a connection; made for each one that is accepted. */
void sentry_open(struct loop *loop, h2o_socket_t *sock);
struct sentry *sentry_of(h2o_req_t *h2o);
/* True once for every request that passed; false: H2O got hold of bytes that nobody has looked
 * at. */
bool sentry_take_passed(struct sentry *sentry, const h2o_req_t *h2o);
str sentry_remote(const struct sentry *sentry);
/* After the answer was given to H2O: the sentry is told when it has been written. */
void sentry_answering(struct sentry *sentry);
/* Likewise, for a 101: the socket then goes to `ws`, or ws_end is called. */
void sentry_upgrading(struct sentry *sentry, struct ws *ws);
/* Bytes that the client has acknowledged; what does not read does not make progress. */
uint64_t socket_acked(h2o_socket_t *sock);
void sentry_refuse(struct sentry *sentry, const struct refusal *refusal);
/* The answer, headers and all (refusal.c); `id` names it to whoever asks about it. */
void refusal_write(const struct refusal *refusal, int64_t now_ms, struct uuid id, struct buf *text);
/* Idle ones (and those of which no byte has come) are closed; or all. */
void sentries_close_idle(struct loop *loop);
void sentries_close_all(struct loop *loop);

/* --- WebSocket connections (ws_*.c) --- */

/* Answers 101; the request's connection becomes one. */
void ws_upgrade(struct exchange *exchange);
/* The socket is free of H2O's HTTP and of the sentry; `surplus` has come behind the request. */
void ws_adopt(struct ws *ws, h2o_socket_t *sock, str surplus);
void ws_end(struct ws *ws);
/* Says that the server goes; or closes them without a word. */
void ws_stop_all(struct loop *loop);
void ws_cut_all(struct loop *loop);
void ws_on_tick(h2o_timeout_entry_t *entry);
void ws_take_message(h2o_multithread_message_t *message);

/* --- Loops (loop.c) --- */

enum phase { PHASE_SERVING, PHASE_STOPPING, PHASE_CUTTING, PHASE_LEAVING };

struct loop {
    struct http_server *server;
    pthread_t thread;
    pthread_t runs_on; /* the same, as the thread itself knows it */
    int listen_fd;
    h2o_context_t context;
    h2o_accept_ctx_t accept_context;
    h2o_socket_t *listener; /* NULL: not accepting */
    h2o_timeout_t idle;
    h2o_timeout_t receive;
    h2o_timeout_t send;
    h2o_timeout_t linger;
    h2o_timeout_t pause; /* of the listener when descriptors have run out */
    h2o_timeout_entry_t paused;
    h2o_multithread_receiver_t receiver;
    h2o_multithread_receiver_t ws_receiver;
    _Atomic int ws_posted; /* messages to it that are not taken yet */
    _Atomic int senders;   /* threads inside h2o_multithread_send_message */
    _Atomic int phase;
    int stopping_turns;
    bool is_drained;         /* reported to the server */
    struct sentry *sentries; /* open connections */
    size_t sentry_count;
    struct ws *websockets; /* counted among the connections */
    h2o_timeout_t tick;    /* how often they are looked after */
    h2o_timeout_entry_t ticking;
    struct arena *arena;   /* of the message that is being received */
    struct rng_seeded ids; /* of requests: they must differ, and are no secret */
    struct exchange *live; /* requests that are not over */
    struct exchange *free;
    size_t free_count;
};

/* False: the system has no thread for it. */
bool loop_start(struct loop *loop);
/* After PHASE_LEAVING. */
void loop_join(struct loop *loop);
void loop_enter_phase(struct loop *loop, enum phase phase);
/* Brings the request to its loop; from any thread but cheap there too. */
void loop_post(struct loop *loop, struct exchange *exchange, enum message message);
/* `link` of a connection of that loop that is not closed; its mutex is held. */
void loop_post_ws(struct loop *loop, h2o_multithread_message_t *link);
void loop_connection_closed(struct loop *loop);

/* --- Metrics (meter.c) --- */

/* What the three seconds of an answer are shared out to, each with its budget. */
enum component {
    COMPONENT_DATABASE,
    COMPONENT_CACHE,
    COMPONENT_OWN,     /* on a loop or a worker, but for the two above */
    COMPONENT_NETWORK, /* the answer's way into the client's socket */
    COMPONENT_BUFFER,  /* waiting for a thread of ours */
    COMPONENTS,
};

struct meter {
    struct metric *connections;
    struct metric *in_flight;
    struct metric *busy;
    struct metric *parked;
    struct metric *waiting;
    struct metric *overloaded;
    struct metric *refused;
    struct metric *handovers;
    struct metric *wakeups;
    struct metric *websockets;
    struct metric *ws_sent;
    struct metric *ws_behind;
    struct metric *ws_refused;
    struct metric *places[PLACES];
    struct metric *components[COMPONENTS];
    struct metric *over_budget[COMPONENTS];
};

void meter_open(struct meter *meter, struct metrics *metrics);
void meter_open_route(void *metrics, struct route_entry *entry); /* for routes_each */
void meter_count(struct exchange *exchange);
/* The request is at `place` from now on; by whoever has it, before he hands it on. */
void meter_place(struct exchange *exchange, enum place place);
void meter_component(const struct meter *meter, enum component component, int64_t ns);

/* --- The server (server.c) --- */

struct http_server {
    struct node *node;
    struct arena *arena; /* of the routes */
    err (*authenticate)(struct req *req);
    err (*admit)(struct req *req);
    bool access_log;
    int port;
    struct tuning tuning;
    size_t connections_max; /* per loop */
    h2o_globalconf_t config;
    struct route_table_index *routes;
    struct meter meter;
    struct workers *workers;
    struct loop *loops;
    int loop_count;
    int started_count;
    _Atomic int64_t buffered; /* bytes of bodies that are being received */
    _Atomic bool stopping;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    int ready_count;
    int drained_count;
};

err http_open_tuned(const struct http_options *options, const struct tuning *tuning,
                    struct arena *arena, struct http_server **ret, str *ret_why);

/* The client's address without its port, NUL-terminated; "unknown" if it has gone already. */
void remote_address(h2o_socket_t *sock, char *ret, size_t size);

/* healthz, readyz and, for internal listeners, metrics (ops.c). */
extern const struct route_table http_ops_routes;
extern const struct route_table http_internal_routes;

static inline struct exchange *exchange_of(struct req *req)
{
    return (struct exchange *)req;
}

static inline const struct exchange *const_exchange_of(const struct req *req)
{
    return (const struct exchange *)req;
}
