/* platform/http/ws_internal.h - what the files of WebSocket connections share; no other needs it. */
#pragma once

#include "platform/http/internal.h"
#include "platform/http/ws.h"
#include "platform/ws/reader.h"

enum ws_phase {
    WS_OPENING, /* the 101 is on its way, and the socket still H2O's */
    WS_OPEN,
    WS_CLOSING, /* our close is written: until the client's comes, or it is too slow */
    WS_CLOSED,
};

/* A reference to a frame in the list of what waits for one client. */
struct piece {
    struct piece *next;
    struct ws_frame *frame;
};

struct ws_frame {
    _Atomic int references;
    enum ws_opcode opcode;
    size_t size; /* with its head */
    char bytes[];
};

struct ws {
    _Atomic int references;
    struct loop *loop;
    const struct ws_kind *kind;
    /* --- The loop's --- */
    void *state;
    h2o_socket_t *sock; /* NULL while WS_OPENING and once WS_CLOSED */
    struct instance *self;
    struct caller caller;
    str subprotocol;
    struct ws *older; /* loop->wss */
    struct ws *newer;
    enum ws_phase phase;
    bool is_pinged;  /* since it was heard last */
    bool has_closed; /* the client: its close frame was read */
    int64_t heard_at_ms;
    int64_t allowance; /* thousandths of frames that it may send at once */
    struct ws_reader reader;
    struct piece *writing; /* what H2O has at the moment */
    uint64_t acked;        /* bytes that the client had when the timer was set */
    h2o_timeout_entry_t timer;
    /* --- Any thread's, under the mutex --- */
    pthread_mutex_t mutex;
    struct piece *first;
    struct piece *last;
    size_t pending;   /* bytes that wait or are being written */
    bool is_posted;   /* `link` is on its way to the loop */
    bool is_closing;  /* our close frame is in the list, or behind it */
    bool is_closed;   /* the loop must not be touched any more */
    bool was_refused; /* somebody wants to hear of caught_up */
    int code;         /* of whichever side closed first; 0: none has */
    h2o_multithread_message_t link;
};

/* Takes from the list and gives it to H2O, unless it still has some (ws_write.c). */
void ws_flush(struct ws *ws);
void ws_drop_pieces(struct ws *ws);
/* A ping or pong; left out where too much waits already. */
void ws_send_control(struct ws *ws, enum ws_opcode opcode, str payload);
/* Our close frame; nothing if it was sent before. `code` is what the kind will be told. */
void ws_send_close(struct ws *ws, str payload, int code);
/* Called by ws_write.c: our close frame is out (ws_read.c). */
void ws_close_written(struct ws *ws);
/* Closes the socket, if it has one, and tells the kind (ws_open.c). */
void ws_end(struct ws *ws);
void ws_set_timer(struct ws *ws, h2o_timeout_t *timeout);
/* Begins to read; the socket is ours (ws_read.c). */
void ws_begin_reading(struct ws *ws);
