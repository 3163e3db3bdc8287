/* platform/crypto/crypto.h - hashes, MACs, signatures and the node's keys, on OpenSSL 3 (EVP). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/rng.h"
#include "base/str.h"

enum {
    SHA256_SIZE = 32,
    ED25519_KEY_SIZE = 32, /* public, and the private seed */
    ED25519_SIGNATURE_SIZE = 64,
    TOKEN_TEXT_SIZE = 43, /* 256 bits in base64url without padding */
};

void sha256(str data, uint8_t ret[SHA256_SIZE]);
void hmac_sha256(str key, str data, uint8_t ret[SHA256_SIZE]);
bool equal_in_constant_time(const void *a, const void *b, size_t size);

str base64_encode(struct arena *arena, str data);              /* RFC 4648 4, padded */
str base64url_encode(struct arena *arena, str data);           /* RFC 4648 5, unpadded */
err base64url_decode(struct arena *arena, str text, str *ret); /* ERR_MALFORMED unless canonical */
str hex_encode(struct arena *arena, str data);                 /* lower case */
str base45_encode(struct arena *arena, str data);              /* RFC 9285 */
err base45_decode(struct arena *arena, str text, str *ret);    /* ERR_MALFORMED unless canonical */

struct token_text {
    char text[TOKEN_TEXT_SIZE + 1];
};
/* A new opaque 256-bit token. At rest only its SHA-256 is kept. */
struct token_text token_new(struct rng *rng);

/* --- The keyring: one file a key in `dir`, mode 0600 in a directory 0700 --- */

struct keyring; /* thread-safe */

/* Opens `dir` (DATA/keys), making it and its first keys where there are none; its parent must
 * exist. ERR_INVALID with *ret_why: unreadable, wrong size, readable for others. */
err keyring_open(const char *dir, struct rng *rng, struct arena *arena, struct keyring **ret,
                 str *ret_why);
/* Keys in memory only, derived from the seed: tests. */
err keyring_open_memory(uint64_t seed, struct keyring **ret);
void keyring_close(struct keyring *keyring); /* NULL is accepted */

/* AES-256-GCM envelope for a sensitive column: version 1 ‖ key id 2 ‖ nonce 12 ‖ ciphertext ‖
 * tag 16. `context` ("users.totp_seed/usr_...") is authenticated, so a value cannot be moved to
 * another row. Up to 64 MiB (asserted). */
str keyring_seal(struct keyring *keyring, struct rng *rng, struct arena *arena, str context,
                 str plain);
/* ERR_INVALID: forged, moved, unknown key. */
err keyring_unseal(struct keyring *keyring, struct arena *arena, str context, str sealed,
                   str *ret_plain);
/* HMAC-SHA256 under a key derived for `purpose` ("email_index", "cursor"): at most 32 purposes
 * of at most 47 bytes each, constants of the program. It stays the same when keys are rotated. */
void keyring_mac(struct keyring *keyring, const char *purpose, str data, uint8_t ret[SHA256_SIZE]);
/* Ed25519 (RFC 8032) with the current ticket key; its id goes into what is signed. */
uint16_t keyring_signing_key_id(struct keyring *keyring);
/* ERR_NOT_FOUND: no such key. */
err keyring_sign(struct keyring *keyring, uint16_t key_id, str data,
                 uint8_t ret[ED25519_SIGNATURE_SIZE]);
/* ERR_INVALID: forged, or no such key. */
err keyring_verify(struct keyring *keyring, uint16_t key_id, str data,
                   const uint8_t signature[ED25519_SIGNATURE_SIZE]);
/* ERR_NOT_FOUND: no such key. */
err keyring_public_key(struct keyring *keyring, uint16_t key_id, uint8_t ret[ED25519_KEY_SIZE]);

/* --- Passwords: argon2id m=19456 KiB, t=2, p=1 (OWASP; 0.08 s of CPU) in a bounded pool --- */

struct hasher; /* thread-safe */
struct hasher_options {
    int thread_count;    /* 0: 2 */
    int waiting_max;     /* 0: 64 */
    uint32_t memory_kib; /* 0: 19456; tests use less */
};
/* NULL: the system gave no threads. The keyring must outlive the hasher. */
struct hasher *hasher_open(const struct hasher_options *options, struct keyring *keyring);
/* Ends the threads once all callers are served. NULL is accepted. */
void hasher_close(struct hasher *hasher);
/* Blocks while a thread of the pool works. The PHC string; the password is peppered with the
 * keyring first. ERR_OVERLOADED. */
err hasher_hash(struct hasher *hasher, struct rng *rng, struct arena *arena, str password,
                str *ret_phc);
/* ERR_INVALID_CREDENTIALS if it does not match. `phc` absent: takes the same time and fails.
 * ERR_OVERLOADED. *ret_outdated: hash it anew. */
err hasher_verify(struct hasher *hasher, str phc, str password, bool *ret_outdated);
