/* booking/ticket_code.h - the code on a ticket: signed, to be verified without a network.
 *
 *   text     "T1:" base45(payload 45 ‖ signature 64)     167 characters of QR's alphanumeric mode
 *   payload  event 16 ‖ ticket 16 ‖ generation u16 ‖ not before u32 ‖ expires u32 ‖ key id u16 ‖
 *            version u8
 *
 * Integers are big-endian, times are seconds since 1970, the version is 1. The signature is Ed25519
 * (RFC 8032) over the 45 bytes of the payload alone, by the key of that id. base45 is RFC 9285. */
#pragma once

#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "platform/crypto/crypto.h"
#include "services/booking/ids.h"

enum {
    TICKET_CODE_VERSION = 1,
    TICKET_CODE_PAYLOAD_SIZE = 45,
    TICKET_CODE_TEXT_SIZE = 167,
};

struct ticket_code {
    event_id event;
    ticket_id ticket;
    uint16_t generation;   /* of the ticket: an older one's code is dead */
    uint16_t key_id;       /* keyring_signing_key_id for new codes */
    uint32_t not_before_s; /* ticket_code_time */
    uint32_t expires_s;
};

/* Whole seconds of an instant, as near as 32 bits come to it (until 2106-02-07). */
uint32_t ticket_code_time(int64_t at_ms);

/* The same text for the same values, always. ERR_NOT_FOUND: the keyring has no such key. */
err ticket_code_make(struct keyring *keyring, const struct ticket_code *code, struct arena *arena,
                     str *ret_text);

/* ERR_INVALID_CODE for every text that ticket_code_make would not give, byte for byte, with a key
 * of this keyring. Says who signed and what; whether the ticket admits now is for the caller to
 * decide. */
err ticket_code_read(struct keyring *keyring, struct arena *arena, str text,
                     struct ticket_code *ret);
